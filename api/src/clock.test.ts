import { describe, expect, it } from 'vitest';
import { monotonicClock, systemClock, type Clock, type MonotonicClock } from './clock.ts';

describe('clocks', () => {
  it('are not assignable to each other, and a plain function of a test is to both', () => {
    const takesDates = (clock: Clock) => clock;
    const takesDurations = (clock: MonotonicClock) => clock;
    // @ts-expect-error A date's clock steps.
    takesDurations(systemClock);
    // @ts-expect-error A duration's clock knows no date.
    takesDates(monotonicClock);
    const plain = () => 0;
    expect([takesDates(plain), takesDurations(plain)]).toEqual([plain, plain]);
  });

  it('return whole milliseconds', () => {
    expect([systemClock(), monotonicClock()].every(Number.isInteger)).toBe(true);
  });
});
