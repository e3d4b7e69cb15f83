import { isIPv4 } from 'node:net';

/** Names of the local host in common `hosts` files. Names that end in `.localhost` (RFC 6761) are matched apart. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  'localhost',
  'localhost.localdomain',
  'localhost4',
  'localhost6',
  'ip6-localhost',
  'ip6-loopback',
]);

/**
 * Returns whether a host name means the machine it is resolved on, where anybody can serve a page. `hostname` is in the
 * form of `URL`, which normalises decimal, octal and hexadecimal addresses. Other people's names that resolve to a loopback
 * address are not recognised.
 */
export function isOwnMachine(hostname: string): boolean {
  if (hostname.startsWith('[')) return isOwnIPv6(hostname.slice(1, -1));
  const name = hostname.replace(/\.+$/, '');
  return OWN_NAMES.has(name) || name.endsWith('.localhost') || isOwnIPv4(name);
}

/** The loopback network 127/8, and 0/8 ("this host on this network"), which systems treat alike. */
function isOwnIPv4(address: string): boolean {
  return isIPv4(address) && /^(127|0)\./.test(address);
}

/** Prefixes of an IPv4 address in an IPv6 one: compatible, mapped (RFC 4291), and translated (RFC 2765, RFC 6052). */
const IPV4_PREFIXES: ReadonlySet<string> = new Set([
  '0:0:0:0:0:0',
  '0:0:0:0:0:ffff',
  '0:0:0:0:ffff:0',
  '64:ff9b:0:0:0:0',
]);

/** Returns whether an IPv6 address carries an IPv4 address of this machine; `::1` and `::` read as 0.0.0.1 and 0.0.0.0. */
function isOwnIPv6(address: string): boolean {
  const [left = '', right] = address.split('::');
  const [head, tail] = [left, right ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const groups = [...head!, ...new Array<string>(8 - head!.length - tail!.length).fill('0'), ...tail!];
  const firstByte = Number.parseInt(groups[6]!, 16) >> 8;
  return IPV4_PREFIXES.has(groups.slice(0, 6).join(':')) && (firstByte === 127 || firstByte === 0);
}
