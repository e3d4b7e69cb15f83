import { describe, expect, it, test } from 'vitest';
import type { Survey } from '../state/state-store.ts';
import { DEFAULT_MATCH_RULES } from '../decision/rules.ts';
import { statusFrom } from './wait-reports.ts';

const survey: Survey = {
  waitedMs: 0,
  typicalWaitMs: null,
  waiting: 0,
  onTopic: 0,
  inSection: 0,
  otherLanguage: 0,
  networks: 0,
  otherLanguageNetworks: 0,
};
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

  test('estimates the rest from recent waits, in few steps, and says nothing once this one is longer', () => {
    expect(statusOf({ typicalWaitMs: 4_000, waitedMs: 1_000 }).etaMs).toBe(4_000);
    expect([5_000, 5_001, 9_999].map((typicalWaitMs) => statusOf({ typicalWaitMs }).etaMs)).toEqual([
      5_000, 10_000, 10_000,
    ]);
    expect(statusOf({ typicalWaitMs: 4_000, waitedMs: 5_000 })).not.toHaveProperty('etaMs');
    expect(statusOf({ typicalWaitMs: 320_001 })).not.toHaveProperty('etaMs');
    expect(statusOf({})).not.toHaveProperty('etaMs');
  });

  it.each([
    [0, []],
    [4, []],
    [5, [{ what: 'languages', atLeast: 5 }]],
  ])('S34 speaks of others with another language who wait from %i networks as: %j', (otherLanguageNetworks, widen) => {
    expect(statusOf({ otherLanguageNetworks, otherLanguage: 500 }).widen).toEqual(widen);
  });

  it('S34 says the same however many wait', () => {
    const told = [4, 40, 400].map((waiting) =>
      statusOf({ waiting, otherLanguage: waiting, networks: 4, waitedMs: 6_000 }),
    );
    expect(told.map(({ widen }) => widen)).toEqual([[], [], []]);
  });

  it('says nothing of languages once they are no longer needed', () => {
    expect(statusOf({ otherLanguageNetworks: 5, waitedMs: 6_000 }).widen).toEqual([]);
    expect(
      statusOf(
        { otherLanguageNetworks: 5, networks: 5, waitedMs: 6_000 },
        { ...DEFAULT_MATCH_RULES, isLanguageHard: true },
      ).widen,
    ).toEqual([{ what: 'languages', atLeast: 5 }]);
  });

  it('S34 speaks of groups at the last step, from five networks on', () => {
    expect(statusOf({ networks: 4, waitedMs: 6_000 }).widen).toEqual([]);
    expect(statusOf({ networks: 5, waitedMs: 6_000 }).widen).toEqual([{ what: 'groups', atLeast: 5 }]);
    expect(statusOf({ networks: 5, waitedMs: 5_999 }).widen).toEqual([]);
  });
});
