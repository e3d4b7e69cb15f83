import { distance, isAllowed, isNearEnough } from './distance.ts';
import { stepAt } from './expansions.ts';
import type { MatchRules } from './rules.ts';
import type { Ticket } from './ticket.ts';

/** Somebody in the queue. */
export interface Waiter {
  readonly ticket: Ticket;
  /** When the wait began, Unix milliseconds; it survives a match that fell through. */
  readonly since: number;
  /** Order among those who began in the same millisecond. */
  readonly seq: number;
}

/** History of the two with each other. */
export interface History {
  readonly isBlocked: boolean;
  readonly isRepeat: boolean;
}

/** The longest waiter goes first; ties go to the one who came first. */
export function bySeniority(a: Waiter, b: Waiter): number {
  return a.since - b.since || a.seq - b.seq;
}

/**
 * Whom the seed meets among these candidates: nobody blocked or against a hard rule, somebody new
 * before somebody met recently, then the nearest, then the longest waiter. Candidates come in order of
 * seniority within each index, in any order between them.
 */
export function choose<Candidate extends Waiter>(
  seed: Waiter,
  candidates: Iterable<Candidate>,
  rules: MatchRules,
  now: number,
  historyWith: (candidate: Candidate) => History,
): Candidate | null {
  let best: { candidate: Candidate; isRepeat: boolean; distance: number } | null = null;
  for (const candidate of candidates) {
    if (!isAllowed(seed.ticket, candidate.ticket, rules)) continue;
    const { isBlocked, isRepeat } = historyWith(candidate);
    if (isBlocked) continue;
    const step = stepAt(rules.expansions, now - Math.min(seed.since, candidate.since));
    if (!isNearEnough(seed.ticket, candidate.ticket, rules.expansions[step]!, isRepeat)) continue;
    const found = {
      candidate,
      isRepeat,
      distance: distance(seed.ticket, candidate.ticket, rules.weights, now - candidate.since),
    };
    if (best === null || isBetter(found, best)) best = found;
  }
  return best?.candidate ?? null;
}

type Found = { candidate: Waiter; isRepeat: boolean; distance: number };

function isBetter(a: Found, b: Found): boolean {
  if (a.isRepeat !== b.isRepeat) return b.isRepeat;
  if (a.distance !== b.distance) return a.distance < b.distance;
  return bySeniority(a.candidate, b.candidate) < 0;
}
