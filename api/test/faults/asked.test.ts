import { describe, expect, test } from 'vitest';
import { readAsked } from './asked.ts';
import type { FaultScenario } from './scenario.ts';

const scenarioOf = (name: string, timeoutMs: FaultScenario['timeoutMs'] = { short: 1, deep: 1 }): FaultScenario => ({
  name,
  promise: 'holds',
  timeoutMs,
  run: () => expect.unreachable(),
});
const [calm, storm, age] = [scenarioOf('a calm'), scenarioOf('a storm'), scenarioOf('an ice age', { deep: 1 })];
const asked = (args: string[], seedSet?: string) => readAsked(args, seedSet, [calm, storm, age]);

describe('command line of the fault tests', () => {
  test('runs everything in full under the first seed by default', () => {
    expect(asked([])).toEqual({ scenarios: [calm, storm, age], seed: 1, profile: 'deep' });
    expect(asked([], '')).toMatchObject({ seed: 1 });
    expect(asked([], '7')).toMatchObject({ seed: 7 });
    expect(asked(['--seed', '8', '--short'], '7')).toEqual({ scenarios: [calm, storm], seed: 8, profile: 'short' });
  });

  test('accepts a name in quotes or without', () => {
    expect(asked(['a storm']).scenarios).toEqual([storm]);
    expect(asked(['a', 'storm', '--seed', '2'])).toEqual({ scenarios: [storm], seed: 2, profile: 'deep' });
  });

  test.each([
    [['a drought'], 'There is no scenario "a drought". There are: a calm, a storm, an ice age.'],
    [['an ice age', '--short'], 'There is no scenario "an ice age". There are: a calm, a storm.'],
    [['--seed'], 'A seed is a whole number from 0 on.'],
    [['--seed', 'x'], 'A seed is a whole number from 0 on.'],
    [['--sed', '1'], 'There is no option --sed.'],
  ])('refuses %j with a plain message', (args, message) => {
    expect(() => asked(args)).toThrow(message);
  });
});
