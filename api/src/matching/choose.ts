import { distance, isAllowed, isNearEnough } from './distance.ts';
import { stepAt } from './expansions.ts';
import type { MatchRules } from './rules.ts';
import type { Ticket } from './ticket.ts';

/** Visitor in the queue. */
export interface Waiter {
  readonly ticket: Ticket;
  /** Start of the wait, Unix milliseconds; kept if a match falls through. */
  readonly since: number;
  /** Order among waits that began in the same millisecond. */
  readonly seq: number;
}

/** History of two visitors with each other. */
export interface History {
  readonly isBlocked: boolean;
  readonly isRepeat: boolean;
}

/** Compares by seniority: the longest waiter first; ties go to the one who came first. */
export function bySeniority(a: Waiter, b: Waiter): number {
  return a.since - b.since || a.seq - b.seq;
}

/**
 * Chooses the seed's match among candidates: never one who is blocked or violates a hard rule; a new one before one met
 * recently, then the nearest, then the longest waiter. Candidates come in order of seniority within each index, and in
 * any order across indexes.
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
