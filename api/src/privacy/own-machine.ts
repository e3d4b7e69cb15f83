import { isIPv4 } from 'node:net';
import { embeddedIPv4, groupsOf, lastIPv4 } from './embedded-ipv4.ts';

/** Hosts by which a browser is usually sent to its own machine, in the form of `URL`. */
export const USUAL_OWN_HOSTS = ['localhost', '127.0.0.1', '[::1]'] as const;

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
 * Returns whether a host name means the local machine, on which anybody can serve a page. `hostname` is in the form of
 * `URL`, which normalises decimal, octal and hexadecimal addresses. Other people's names that resolve to a loopback
 * address are not recognised.
 */
export function isOwnMachine(hostname: string): boolean {
  if (hostname.startsWith('[')) return isOwnIPv6(hostname.slice(1, -1));
  const name = hostname.replace(/\.+$/, '');
  return OWN_NAMES.has(name) || name.endsWith('.localhost') || isOwnIPv4(name);
}

/**
 * Returns whether a host to listen on, or to connect to, is on the loopback interface: `localhost`, 127/8 and `::1`,
 * with brackets or without. Narrower than `isOwnMachine`: a server on 0.0.0.0 can be reached from everywhere.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

/** The loopback network 127/8, and 0/8 ("this host on this network"), which systems treat alike. */
function isOwnIPv4(address: string): boolean {
  return isIPv4(address) && /^(127|0)\./.test(address);
}

/** Returns whether an IPv6 address embeds an IPv4 address of this machine; `::1` and `::` read as 0.0.0.1 and 0.0.0.0. */
function isOwnIPv6(address: string): boolean {
  const groups = groupsOf(address);
  const isCompatible = groups.slice(0, 6).every((group) => group === 0);
  const embedded = isCompatible ? lastIPv4(groups) : embeddedIPv4(groups);
  return embedded !== null && isOwnIPv4(embedded);
}
