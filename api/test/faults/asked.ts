import type { FaultScenario, Profile } from './scenario.ts';

export interface Asked {
  readonly scenarios: readonly FaultScenario[];
  readonly seed: number;
  readonly profile: Profile;
}

export const USAGE = `npm run test:faults -- [scenario] [--seed N] [--short]

Plays the scenario of that name, or all of them, with the numbers that are promised (--short: with those of npm test).
The same seed does the same harm at the same points. PASSERBY_SEED is taken where there is no --seed.`;

/** Options of the command line. @throws Error with a plain message. */
export function readAsked(
  args: readonly string[],
  seedSet: string | undefined,
  known: readonly FaultScenario[],
): Asked {
  const words: string[] = [];
  let seedText = seedSet === undefined || seedSet === '' ? '1' : seedSet;
  let profile: Profile = 'deep';
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--short') profile = 'short';
    else if (word === '--seed') seedText = args[++at] ?? '';
    else if (word.startsWith('-')) throw new Error(`There is no option ${word}.`);
    else words.push(word);
  }
  const seed = Number(seedText);
  if (seedText === '' || !Number.isSafeInteger(seed) || seed < 0)
    throw new Error('A seed is a whole number from 0 on.');
  const name = words.join(' ');
  const offered = known.filter(({ timeoutMs }) => timeoutMs[profile] !== undefined);
  const scenarios = offered.filter((scenario) => name === '' || scenario.name === name);
  if (scenarios.length === 0) {
    throw new Error(
      `There is no scenario "${name}". There are: ${offered.map((scenario) => scenario.name).join(', ')}.`,
    );
  }
  return { scenarios, seed, profile };
}
