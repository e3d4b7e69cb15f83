import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_MATCH_RULES, type Weights } from '../src/matching/rules.ts';
import { readAsked } from './asked.ts';
import { jainIndex, percentile, type Figures } from './figures.ts';
import { runLab } from './lab.ts';
import { plotOf } from './plot.ts';
import { PROFILES, type Profile } from './profiles.ts';
import { replay } from './replay.ts';
import { jsonOf } from './report.ts';
import { visitorsOf } from './visitors.ts';

const written = (file: string) => readFileSync(path.join(import.meta.dirname, '../../docs/match-lab', file), 'utf8');
const profileOf = (name: string) => PROFILES.find((profile) => profile.name === name)!;

describe('match lab', async () => {
  const result = await runLab('1', PROFILES, DEFAULT_MATCH_RULES);
  const figures = result.profiles.map(({ profile, figures }) => [profile.name, figures] as const);

  test('produces the files in docs/: run `npm run match-lab` after a change of the decision', () => {
    expect(JSON.parse(jsonOf(result))).toEqual(JSON.parse(written('results.json')));
    expect(jsonOf(result)).toBe(written('results.json'));
    expect(plotOf(result)).toBe(written('waits.svg'));
  });

  test('produces the same bytes for the same seed, and others for another', async () => {
    const profile: Profile = { ...profileOf('quiet'), arrivals: { kind: 'steady', aMinute: 3, minutes: 30 } };
    const run = (seed: string) => runLab(seed, [profile], DEFAULT_MATCH_RULES);
    const [one, again, other] = [await run('a'), await run('a'), await run('b')];
    expect(jsonOf(again)).toBe(jsonOf(one));
    expect(plotOf(again)).toBe(plotOf(one));
    expect(jsonOf(other)).not.toBe(jsonOf(one));
  });

  test.each(figures)('%s: shares add up', (_, { searches, gaveUp, steps, nearness, cohorts, waitMs }) => {
    const sum = (shares: object) => Object.values(shares).reduce((total: number, share: number) => total + share, 0);
    expect(sum(steps)).toBeCloseTo(1, 9);
    expect(sum(nearness)).toBeCloseTo(1, 9);
    const parts = Object.values(cohorts);
    expect(parts.reduce((total, part) => total + part.searches, 0)).toBe(searches);
    expect(parts.reduce((total, part) => total + part.searches * part.gaveUp, 0)).toBeCloseTo(searches * gaveUp, 6);
    expect(Math.max(...parts.map((part) => part.waitMs.max))).toBe(waitMs.max);
    expect(waitMs.p50).toBeLessThanOrEqual(waitMs.p95);
    expect(waitMs.p95).toBeLessThanOrEqual(waitMs.max);
  });

  test('leaves the store empty when all visitors have left', async () => {
    const { leftBehind, lapsed } = await replay(visitorsOf(profileOf('regulars'), '1'), DEFAULT_MATCH_RULES);
    expect(leftBehind).toBe(0);
    // Otherwise the lab would not show what a match that falls through does.
    expect(lapsed).toBeGreaterThan(0);
  });

  test('generates the same visitors for a seed, whatever the rules', () => {
    const visitors = visitorsOf(profileOf('quiet'), '1');
    const [one, again] = [visitors[3]!, visitorsOf(profileOf('quiet'), '1')[3]!];
    expect([again.arrivesMs, again.criteria, again.mood(2)]).toEqual([one.arrivesMs, one.criteria, one.mood(2)]);
    expect(one.mood(1)).not.toEqual(one.mood(2));
  });
});

describe('effect of a weight on a queue', () => {
  const profile: Profile = {
    ...profileOf('unbalanced-groups'),
    arrivals: { kind: 'steady', aMinute: 40, minutes: 8 },
  };

  /** Effect of a low and of a high value of a weight, for two sets of visitors. */
  async function compare(weight: keyof Weights, little: number, much: number) {
    const runs: (readonly [little: Figures, much: Figures])[] = [];
    for (const seed of ['1', '2']) {
      const figuresWith = async (value: number) => {
        const weights = { ...DEFAULT_MATCH_RULES.weights, [weight]: value };
        return (await runLab(seed, [profile], { ...DEFAULT_MATCH_RULES, weights })).profiles[0]!.figures;
      };
      runs.push([await figuresWith(little), await figuresWith(much)]);
    }
    return runs;
  }

  test('more for interests increases shared interests', async () => {
    for (const [little, much] of await compare('interest', 0, 20)) {
      expect(much.sharedInterests).toBeGreaterThan(1.5 * little.sharedInterests);
    }
  });

  test('more for waiting shortens the longest wait', async () => {
    for (const [little, much] of await compare('waiting', 0, 1)) {
      expect(much.waitMs.max).toBeLessThan(0.8 * little.waitMs.max);
    }
  });

  test('more for the page increases matches on the same page', async () => {
    for (const [little, much] of await compare('topic', 0, 10)) {
      expect(much.nearness.page).toBeGreaterThan(1.5 * little.nearness.page);
    }
  });
});

describe('figures', () => {
  test('a percentile is one of the values', () => {
    expect([0.5, 0.95, 1].map((share) => percentile([1, 2, 3, 4], share))).toEqual([2, 4, 4]);
    expect(percentile([], 0.5)).toBe(0);
  });

  test("Jain's index is 1 for equal shares, and 1 ÷ n for one share alone", () => {
    expect(jainIndex([0.3, 0.3, 0.3])).toBeCloseTo(1);
    expect(jainIndex([1, 0, 0, 0])).toBeCloseTo(0.25);
  });
});

describe('command line', () => {
  const read = (...args: string[]) => readAsked(args, 'docs');

  test('writes the files in docs by default', () => {
    expect(read()).toMatchObject({ seed: '1', rules: DEFAULT_MATCH_RULES, compare: null, out: 'docs' });
    expect(read().profiles).toEqual(PROFILES);
  });

  test('writes files of other rules or visitors only to a named folder', () => {
    expect(read('--weights', 'interest=9,waiting=0')).toMatchObject({
      rules: { weights: { ...DEFAULT_MATCH_RULES.weights, interest: 9, waiting: 0 } },
      out: null,
    });
    expect(read('--profile', 'quiet', '--out', 'elsewhere')).toMatchObject({
      profiles: [{ name: 'quiet' }],
      out: 'elsewhere',
    });
    expect(read('--compare', 'waiting=0,0.2,1')).toMatchObject({
      compare: { weight: 'waiting', values: [0, 0.2, 1] },
      out: null,
    });
  });

  test.each([
    [['--profile', 'none']],
    [['--weights', 'interest']],
    [['--weights', 'luck=1']],
    [['--weights', 'interest=-1']],
    [['--compare', 'luck=1']],
    [['--compare', 'waiting=x']],
    [['--unknown']],
  ])('refuses %j with a plain message', (args) => {
    expect(() => read(...args)).toThrow(Error);
  });
});
