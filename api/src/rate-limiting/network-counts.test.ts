import { describe, expect, it } from 'vitest';
import { NetworkCounts } from './network-counts.ts';
import { timesAt } from '../limits/rate-limits.ts';

/** Opens connections from each address while allowed; returns their number. */
function openedFrom(counts: NetworkCounts, addresses: readonly string[]): number {
  let opened = 0;
  for (const address of addresses) {
    if (counts.isFull(address)) continue;
    counts.add(address);
    opened += 1;
  }
  return opened;
}
const times = (count: number, at: (index: number) => string) => Array.from({ length: count }, (_, index) => at(index));

describe('S32 connections of an IPv6 network', () => {
  it.each([
    ['a /64', (n: number) => `2001:db8:aa:1::${(n + 1).toString(16)}`, 2 * timesAt(0)],
    ['a /56', (n: number) => `2001:db8:aa:${(n % 256).toString(16)}::1`, 2 * timesAt(1)],
    ['a /48', (n: number) => `2001:db8:aa:${n.toString(16)}00::1`, 2 * timesAt(2)],
  ])('are bounded for %s', (_, at, max) => {
    expect(openedFrom(new NetworkCounts(2), times(200, at))).toBe(max);
  });

  it('leave room for other networks, and once they have closed for the same', () => {
    const counts = new NetworkCounts(1);
    const undo = times(16, (n) => `2001:db8:aa:${n.toString(16)}00::1`).map((address) => counts.add(address));
    expect([counts.isFull('2001:db8:aa:ff00::1'), counts.isFull('2001:db8:ab::1')]).toEqual([true, false]);
    undo[0]!();
    expect(counts.isFull('2001:db8:aa:ff00::1')).toBe(false);
    for (const close of undo.slice(1)) close();
    expect(counts.size).toBe(0);
  });

  it('are those of a single address for IPv4, also behind a tunnel', () => {
    const counts = new NetworkCounts(2);
    expect(openedFrom(counts, ['203.0.113.7', '2002:cb00:7107:1::1', '64:ff9b::203.0.113.7', '203.0.113.8'])).toBe(3);
  });
});
