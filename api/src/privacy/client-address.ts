import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';
import { embeddedIPv4, groupsOf } from './embedded-ipv4.ts';

/** Address of a connection that closed before its address was read. All of them count as one. */
const UNKNOWN = '::';

/**
 * Returns the client's address of a request: IPv4, or IPv6 that embeds no IPv4 address. `trustedHops` is the number of
 * trusted proxies in front, each of which appends the address of its client to X-Forwarded-For. With 0 that header is
 * an unverified claim of the client, and not read.
 *
 * Of the last `trustedHops` entries the leftmost valid address counts, and the connection's own if there is none. A
 * shorter list came through fewer proxies, and an invalid entry is skipped towards the nearer proxy: either way several
 * clients may count as one, but never one as several.
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
 * Prefix lengths by which an IPv6 address is counted, narrowest first. A /64 is one subnet: a home or a phone.
 * Providers usually assign a /56 to a household, and a /48 to a company or, some of them, to every customer (RFC 6177),
 * so that its holder has 256 or 65,536 different /64.
 */
export const NETWORK_BITS = [64, 56, 48] as const;

/**
 * Returns the networks of an address, narrowest first: an IPv4 address alone, or the /64, the /56 and the /48 of an
 * IPv6 address. In canonical form, such as `203.0.113.7` and `2001:db8:0:1::/64`.
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

/** Returns the address in an entry that may have a port, brackets, quotes or a zone; `null` if there is none. */
function addressIn(entry: string): string | null {
  const text = entry.trim().replaceAll('"', '');
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  const bare = bracketed ?? text.replace(/^([\d.]+):\d+$/, '$1');
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return null;
  const [address] = bare.split('%') as [string];
  return embeddedIPv4(groupsOf(address)) ?? address;
}
