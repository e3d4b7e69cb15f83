import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/** Where a connection comes from that is gone before it was asked. All of them count as one. */
const UNKNOWN = '::';

/**
 * Where a request comes from: an IPv4 address, or an IPv6 address that is none in disguise. `trustedHops`
 * is how many proxies of one's own stand in front, each of which adds whom it was asked by to the right of
 * X-Forwarded-For. With 0 that header is a claim of the caller, and not read.
 *
 * Of the last `trustedHops` entries the leftmost that is an address counts, and the connection's own if none
 * is. A list that is shorter came by fewer proxies, and what is no address is passed over towards the
 * nearer proxy: either way many may be taken for one, and nobody for many.
 */
export function clientAddress({ headers, socket }: IncomingMessage, trustedHops: number): string {
  const own = addressIn(socket.remoteAddress ?? '') ?? UNKNOWN;
  if (trustedHops === 0) return own;
  // Node joins a header that came several times, in their order.
  const entries = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .slice(-trustedHops);
  for (const entry of entries) {
    const address = addressIn(entry);
    if (address !== null) return address;
  }
  return own;
}

/**
 * What one visitor can be assumed to have for themselves: an IPv4 address, or the /64 of an IPv6 address,
 * written in one way only, such as `203.0.113.7` and `2001:db8:0:1::/64`.
 */
export function addressPrefix(address: string): string {
  const plain = addressIn(address) ?? UNKNOWN;
  if (isIPv4(plain)) return plain;
  const network = groupsOf(plain).slice(0, 4);
  return `${network.map((group) => group.toString(16)).join(':')}::/64`;
}

/** The address in an entry that may carry a port, brackets, quotes or a zone; `null` if there is none. */
function addressIn(entry: string): string | null {
  const text = entry.trim().replaceAll('"', '');
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  const bare = bracketed ?? text.replace(/^([\d.]+):\d+$/, '$1');
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return null;
  const [address] = bare.split('%') as [string];
  return mappedIn(address) ?? address;
}

/** The IPv4 address that an IPv6 socket shows as `::ffff:203.0.113.7`. */
function mappedIn(address: string): string | null {
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return null;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** The eight numbers of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [left, right] = address.split('::') as [string, string?];
  const [head, tail] = [numbersIn(left), numbersIn(right ?? '')];
  const gap = new Array<number>(8 - head.length - tail.length).fill(0);
  return [...head, ...gap, ...tail];
}

function numbersIn(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number];
    return [(a << 8) | b, (c << 8) | d];
  });
}
