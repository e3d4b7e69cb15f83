import { isIPv4 } from 'node:net';

/** Names that operating systems give themselves besides `localhost` and what ends in it (RFC 6761). Nobody can own them. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  'localhost',
  'localhost.localdomain',
  'localhost4',
  'localhost6',
  'ip6-localhost',
  'ip6-loopback',
]);

/**
 * Whether a host is the machine it is asked on, under whatever name: where anybody can serve a page. `hostname` as `URL`
 * writes it, which makes one form of numbers in hexadecimal or without dots. Names that somebody else points at a
 * loopback address cannot be told from others.
 */
export function isOwnMachine(hostname: string): boolean {
  if (hostname.startsWith('[')) return isOwnIPv6(hostname.slice(1, -1));
  const name = hostname.replace(/\.+$/, '');
  return OWN_NAMES.has(name) || name.endsWith('.localhost') || isOwnIPv4(name);
}

/** The loopback network, and "this host on this network", which systems take for it. */
function isOwnIPv4(address: string): boolean {
  return isIPv4(address) && /^(127|0)\./.test(address);
}

/** What stands in front of an IPv4 address in an IPv6 one: nothing, mapped, and two forms of translation (RFC 4291, 2765, 6052). */
const IPV4_PREFIXES: ReadonlySet<string> = new Set([
  '0:0:0:0:0:0',
  '0:0:0:0:0:ffff',
  '0:0:0:0:ffff:0',
  '64:ff9b:0:0:0:0',
]);

/** `::1` and `::`, which are 0.0.0.1 and 0.0.0.0 behind the first of the prefixes, and whatever carries an IPv4 address of this machine. */
function isOwnIPv6(address: string): boolean {
  const [left = '', right] = address.split('::');
  const [head, tail] = [left, right ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const groups = [...head!, ...new Array<string>(8 - head!.length - tail!.length).fill('0'), ...tail!];
  const firstByte = Number.parseInt(groups[6]!, 16) >> 8;
  return IPV4_PREFIXES.has(groups.slice(0, 6).join(':')) && (firstByte === 127 || firstByte === 0);
}
