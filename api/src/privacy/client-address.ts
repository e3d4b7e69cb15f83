import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';
import { embeddedIPv4, groupsOf } from './embedded-ipv4.ts';

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
 * Steps in which an IPv6 address counts, in bits, from the narrowest. A /64 is one link: a home or a phone. A /56 is
 * what a provider usually gives a household, a /48 a company or a generous provider's customer (RFC 6177), so that whoever
 * has one is 256 or 65,536 different /64.
 */
export const NETWORK_BITS = [64, 56, 48] as const;

/**
 * The networks an address is in, narrowest first: an IPv4 address alone, or the /64, the /56 and the /48 of an IPv6
 * address. Each is written in one way only, such as `203.0.113.7` and `2001:db8:0:1::/64`.
 */
export function networksOf(address: string): readonly [string, ...string[]] {
  const plain = addressIn(address) ?? UNKNOWN;
  if (isIPv4(plain)) return [plain];
  const groups = groupsOf(plain);
  const [narrowest, ...wider] = NETWORK_BITS.map((bits) => networkText(groups, bits));
  return [narrowest!, ...wider];
}

function networkText(groups: readonly number[], bits: number): string {
  const kept = groups.slice(0, Math.ceil(bits / 16));
  const cut = kept.length * 16 - bits;
  const text = kept.map((group, index) => (index === kept.length - 1 ? (group >> cut) << cut : group).toString(16));
  return `${text.join(':')}::/${bits}`;
}

/** The address in an entry that may carry a port, brackets, quotes or a zone; `null` if there is none. */
function addressIn(entry: string): string | null {
  const text = entry.trim().replaceAll('"', '');
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  const bare = bracketed ?? text.replace(/^([\d.]+):\d+$/, '$1');
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return null;
  const [address] = bare.split('%') as [string];
  return embeddedIPv4(groupsOf(address)) ?? address;
}
