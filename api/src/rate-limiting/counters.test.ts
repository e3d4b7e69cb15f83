import { describe, expect, it } from 'vitest';
import { MemoryCounters, type Count } from './counters.ts';

const countOf = (key: string, points = 2, windowMs = 1_000): Count => ({ key, quota: { points, windowMs } });

function countersAt(max?: number) {
  let now = 0;
  const counters = new MemoryCounters(() => now, max);
  return { counters, pass: (ms: number) => void (now += ms) };
}

describe('MemoryCounters', () => {
  it('consumes from each count, and from none if one is used up', async () => {
    const { counters } = countersAt();
    await counters.consume([countOf('a'), countOf('b', 1)]);
    expect(await counters.consume([countOf('a'), countOf('b', 1)])).toMatchObject({
      full: 1,
      counts: [{ used: 1 }, { used: 1 }],
    });
    expect(await counters.consume([countOf('a')])).toEqual({ full: null, counts: [{ used: 2, resetMs: 1_000 }] });
    expect(await counters.consume([countOf('a'), countOf('c')])).toMatchObject({ full: 0, counts: [{ used: 2 }] });
  });

  it('begins anew once the window is over, and forgets past windows', async () => {
    const { counters, pass } = countersAt();
    await counters.consume([countOf('a', 1)]);
    pass(999);
    expect(await counters.consume([countOf('a', 1)])).toEqual({ full: 0, counts: [{ used: 1, resetMs: 1 }] });
    pass(1);
    expect(await counters.consume([countOf('a', 1)])).toMatchObject({ full: null });
    pass(60_000);
    await counters.consume([countOf('b')]);
    expect(counters.size).toBe(1);
  });

  it('is bounded in number', async () => {
    const { counters } = countersAt(100);
    for (let count = 0; count < 1_000; count++) await counters.consume([countOf(`a${count}`)]);
    expect(counters.size).toBe(100);
  });
});
