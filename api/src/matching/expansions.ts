import type { Expansion } from './rules.ts';

/** Returns the index of the step in force after a wait of `waitedMs`. */
export function stepAt(expansions: readonly Expansion[], waitedMs: number): number {
  let step = 0;
  while (step + 1 < expansions.length && expansions[step + 1]!.afterMs <= waitedMs) step += 1;
  return step;
}

/**
 * Returns the time at which a wait since `since` reaches its next step after `now`; `null` if all are reached. Unix
 * milliseconds.
 */
export function nextDueAt(expansions: readonly Expansion[], since: number, now: number): number | null {
  const next = expansions.find((expansion) => since + expansion.afterMs > now);
  return next === undefined ? null : since + next.afterMs;
}
