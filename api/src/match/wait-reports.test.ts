import { describe, expect, test } from 'vitest';
import type { Survey } from '../state/state-store.ts';
import { DEFAULT_MATCH_RULES } from '../decision/rules.ts';
import { statusFrom } from './wait-reports.ts';

const survey: Survey = { waitedMs: 0, typicalWaitMs: null, waiting: 0, onTopic: 0, inSection: 0, otherLanguage: 0 };
const statusOf = (part: Partial<Survey>, rules = DEFAULT_MATCH_RULES) => statusFrom({ ...survey, ...part }, rules);

describe('statusFrom', () => {
  test.each([
    [0, 'topic'],
    [1_500, 'section'],
    [3_000, 'site'],
    [60_000, 'site'],
  ])('after %i ms the visitor is looked for in reach of: %s', (waitedMs, reach) => {
    expect(statusOf({ waitedMs })).toMatchObject({ waitingForMs: waitedMs, reach });
  });

  test('estimates the rest from recent waits, and says nothing once this one is longer', () => {
    expect(statusOf({ typicalWaitMs: 4_000, waitedMs: 1_000 }).etaMs).toBe(3_000);
    expect(statusOf({ typicalWaitMs: 4_000, waitedMs: 4_000 })).not.toHaveProperty('etaMs');
    expect(statusOf({})).not.toHaveProperty('etaMs');
  });

  test.each([
    [0, []],
    [2, []],
    [3, [{ what: 'languages', atLeast: 3 }]],
    [4, [{ what: 'languages', atLeast: 3 }]],
    [19, [{ what: 'languages', atLeast: 10 }]],
    [10_000, [{ what: 'languages', atLeast: 500 }]],
  ])('speaks of %i others with another language as: %j', (otherLanguage, widen) => {
    expect(statusOf({ otherLanguage }).widen).toEqual(widen);
  });

  test('once languages are no longer needed they are not in the way', () => {
    expect(statusOf({ otherLanguage: 5, waitedMs: 6_000 }).widen).toEqual([]);
    expect(
      statusOf({ otherLanguage: 5, waiting: 5, waitedMs: 6_000 }, { ...DEFAULT_MATCH_RULES, isLanguageHard: true })
        .widen,
    ).toEqual([{ what: 'languages', atLeast: 5 }]);
  });

  test('who waits beside at the last step is kept apart by groups, told from three on', () => {
    expect(statusOf({ waiting: 2, waitedMs: 6_000 }).widen).toEqual([]);
    expect(statusOf({ waiting: 3, waitedMs: 6_000 }).widen).toEqual([{ what: 'groups', atLeast: 3 }]);
    expect(statusOf({ waiting: 3, waitedMs: 5_999 }).widen).toEqual([]);
  });
});
