import type { Expansion, MatchRules, Weights } from './rules.ts';
import type { Ticket } from './ticket.ts';

/*
 * The decision between two visitors, as pure functions. The Redis store holds the same ones in Lua
 * (state/redis/lua/lib/decide.lua); a test runs both on the same generated cases.
 */

/** Checks the hard rules, which waiting never relaxes, both ways. */
export function isAllowed(a: Ticket, b: Ticket, rules: Pick<MatchRules, 'isLanguageHard'>): boolean {
  if (a.ageBand !== b.ageBand) return false;
  if (!doesSeek(a, b) || !doesSeek(b, a)) return false;
  return !rules.isLanguageHard || hasCommonOrNone(a.languages, b.languages);
}

/** Checks the soft rules, which relax with waiting, at the step of whoever has waited longer. */
export function isNearEnough(a: Ticket, b: Ticket, expansion: Expansion, isRepeat: boolean): boolean {
  if (isRepeat && !expansion.isRepeatAllowed) return false;
  if (expansion.isInterestNeeded && !hasCommonOrNone(a.interests, b.interests)) return false;
  if (expansion.isLanguageNeeded && !hasCommonOrNone(a.languages, b.languages)) return false;
  switch (expansion.reach) {
    case 'topic':
      return a.topic === b.topic;
    case 'section':
      return a.topic === b.topic || (a.section !== null && a.section === b.section);
    case 'site':
      return true;
  }
}

/** Returns the distance between the two; the nearest candidate is matched. `waitedMs` is the candidate's. */
export function distance(a: Ticket, b: Ticket, weights: Weights, waitedMs: number): number {
  const fewer = Math.min(a.interests.length, b.interests.length);
  const apart = fewer === 0 ? 1 : 1 - common(a.interests, b.interests) / fewer;
  let sum = weights.interest * apart;
  if (!hasCommonOrNone(a.languages, b.languages)) sum += weights.language;
  if (a.topic !== b.topic) sum += a.section !== null && a.section === b.section ? weights.topic / 2 : weights.topic;
  return sum - (weights.waiting * waitedMs) / 1_000;
}

/** Returns the members of both lists, in the order of the first. */
export function intersection(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.filter((member) => b.includes(member));
}

function common(a: readonly string[], b: readonly string[]): number {
  return intersection(a, b).length;
}

/** Returns whether the two lists share a member, or one of them is empty. */
export function hasCommonOrNone(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 || b.length === 0 || common(a, b) > 0;
}

function doesSeek(seeker: Ticket, other: Ticket): boolean {
  return seeker.seeks.length === 0 || (other.is !== null && seeker.seeks.includes(other.is));
}
