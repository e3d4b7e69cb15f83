import type { Expansion } from './rules.ts';

/** Index of the step in force after waiting this long. */
export function stepAt(expansions: readonly Expansion[], waitedMs: number): number {
  let step = 0;
  while (step + 1 < expansions.length && expansions[step + 1]!.afterMs <= waitedMs) step += 1;
  return step;
}

/** When a wait that began at `since` reaches its next step after `now`; `null` when all are reached. Unix milliseconds. */
export function nextDueAt(expansions: readonly Expansion[], since: number, now: number): number | null {
  const next = expansions.find((expansion) => since + expansion.afterMs > now);
  return next === undefined ? null : since + next.afterMs;
}
