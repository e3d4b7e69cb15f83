import type { MatchRules } from '../src/matching/rules.ts';
import { figuresOf, type Figures } from './figures.ts';
import { countedUntilMs, type Profile } from './profiles.ts';
import { replay } from './replay.ts';
import { visitorsOf } from './visitors.ts';

/** Variant of the rules, and its results. */
export interface Result {
  readonly seed: string;
  readonly rules: MatchRules;
  readonly profiles: readonly { readonly profile: Profile; readonly figures: Figures }[];
}

/** Replays each profile under these rules. The same seed generates the same visitors, whatever the rules. */
export async function runLab(seed: string, profiles: readonly Profile[], rules: MatchRules): Promise<Result> {
  const results: Result['profiles'][number][] = [];
  for (const profile of profiles) {
    const figures = figuresOf(await replay(visitorsOf(profile, seed), rules), rules, countedUntilMs(profile));
    results.push({ profile, figures });
  }
  return { seed, rules, profiles: results };
}
