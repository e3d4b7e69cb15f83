/**
 * Prefixes, as the first six groups, after which the last 32 bits are the IPv4 address of a client behind a translator
 * or on a dual-stack socket.
 */
const TRANSLATED: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0xffff], // ::ffff:0:0/96, mapped: an IPv6 socket with an IPv4 peer (RFC 4291)
  [0, 0, 0, 0, 0xffff, 0], // ::ffff:0:0:0/96, translated (RFC 2765)
  [0x64, 0xff9b, 0, 0, 0, 0], // 64:ff9b::/96, NAT64 (RFC 6052)
];

/**
 * Returns the IPv4 address embedded in an IPv6 one; `null` for all others. Without this all visitors behind one
 * translator or tunnel would share one /64, or each of them could have any number. IPv4-compatible addresses (`::` and
 * 32 bits) were never assigned, and count as none.
 */
export function embeddedIPv4(groups: readonly number[]): string | null {
  const [first, second, third, , , , seventh, eighth] = groups as Eight;
  if (TRANSLATED.some((prefix) => prefix.every((group, index) => groups[index] === group))) return lastIPv4(groups);
  // 6to4 (RFC 3056): the /48 of one IPv4 address.
  if (first === 0x2002) return dotted(second, third);
  // Teredo (RFC 4380): the client's address on the outside of its router, with each bit inverted.
  if (first === 0x2001 && second === 0) return dotted(seventh ^ 0xffff, eighth ^ 0xffff);
  return null;
}

/** Returns the last 32 bits of an IPv6 address as IPv4. */
export function lastIPv4(groups: readonly number[]): string {
  const [, , , , , , seventh, eighth] = groups as Eight;
  return dotted(seventh, eighth);
}

type Eight = readonly [number, number, number, number, number, number, number, number];

const dotted = (high: number, low: number) => [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');

/** Returns the eight groups of a valid IPv6 address as numbers. */
export function groupsOf(address: string): number[] {
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
