import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { matchRules } from '../src/sites/settings.ts';
import { DEFAULT_MATCH_RULES, type MatchRules, type Weights } from '../src/matching/rules.ts';
import { PROFILES, type Profile } from './profiles.ts';

/** Options of the command line. */
export interface Asked {
  readonly seed: string;
  readonly profiles: readonly Profile[];
  readonly rules: MatchRules;
  /** One weight, and the values it takes in turn. */
  readonly compare: { readonly weight: keyof Weights; readonly values: readonly number[] } | null;
  /**
   * Output folder; `null` for none: a run with other rules does not overwrite the results of the default ones by
   * accident.
   */
  readonly out: string | null;
}

export const USAGE = `npm run match-lab -- [options]

  --seed <word>           other visitors; default 1
  --profile <name,…>      ${PROFILES.map(({ name }) => name).join(', ')}; default all
  --weights <name=n,…>    ${Object.keys(DEFAULT_MATCH_RULES.weights).join(', ')}; those not named keep their default
  --expansions <file>     a JSON list of steps, as under match.expansions in the sites file
  --compare <name=n,…>    one weight, and what to set it to in turn: waiting=0,0.2,1. Writes no files
  --out <folder>          where results.json and waits.svg go; docs/match-lab if no other option is given
`;

/** Parses the command line. Throws an `Error` with a plain message. */
export function readAsked(args: readonly string[], defaultOut: string): Asked {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { seed: text, profile: text, weights: text, expansions: text, compare: text, out: text },
  });
  const { seed, profile, weights, expansions, compare, out } = values;
  const isPlain = [seed, profile, weights, expansions, compare].every((option) => option === undefined);
  return {
    seed: seed ?? '1',
    profiles: profile === undefined ? PROFILES : profile.split(',').map(profileOf),
    rules: rulesOf(weights, expansions),
    compare: compare === undefined ? null : compareOf(compare),
    out: compare !== undefined ? null : (out ?? (isPlain ? defaultOut : null)),
  };
}

function profileOf(name: string): Profile {
  const profile = PROFILES.find((known) => known.name === name);
  if (profile === undefined) throw new Error(`there is no profile "${name}"`);
  return profile;
}

function rulesOf(weights = '', expansionsFile: string | undefined): MatchRules {
  const given = weights.split(',').filter(Boolean).map(assignment);
  const parsed = matchRules.safeParse({
    weights: {
      ...DEFAULT_MATCH_RULES.weights,
      ...Object.fromEntries(given.map(([name, value]) => [name, Number(value)])),
    },
    ...(expansionsFile !== undefined && { expansions: JSON.parse(readFileSync(expansionsFile, 'utf8')) as unknown }),
  });
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  return parsed.data;
}

function compareOf(text: string): Asked['compare'] {
  const [name, values] = assignment(text);
  if (!Object.hasOwn(DEFAULT_MATCH_RULES.weights, name)) throw new Error(`there is no weight "${name}"`);
  const numbers = values.split(',').map(Number);
  if (numbers.some((value) => !(value >= 0))) throw new Error(`${name} is compared at numbers from 0 on`);
  return { weight: name as keyof Weights, values: numbers };
}

function assignment(text: string): readonly [name: string, value: string] {
  const [name = '', value] = text.split('=');
  if (value === undefined || value === '') throw new Error(`"${text}" is not name=number`);
  return [name, value];
}
