import { describe, expect, test } from 'vitest';
import { nextDueAt, stepAt } from './expansions.ts';
import { DEFAULT_MATCH_RULES } from './rules.ts';

const { expansions } = DEFAULT_MATCH_RULES;

describe('expansions', () => {
  test.each([
    [0, 0],
    [1_499, 0],
    [1_500, 1],
    [2_999, 1],
    [3_000, 2],
    [6_000, 3],
    [3_600_000, 3],
  ])('after %i ms step %i is in force', (waitedMs, step) => {
    expect(stepAt(expansions, waitedMs)).toBe(step);
  });

  test('are due when the next step begins, and never after the last', () => {
    expect(nextDueAt(expansions, 1_000, 1_000)).toBe(2_500);
    expect(nextDueAt(expansions, 1_000, 2_499)).toBe(2_500);
    expect(nextDueAt(expansions, 1_000, 2_500)).toBe(4_000);
    expect(nextDueAt(expansions, 1_000, 7_000)).toBeNull();
  });

  test('skip steps that are over at once', () => {
    expect(nextDueAt(expansions, 0, 5_000)).toBe(6_000);
  });
});
