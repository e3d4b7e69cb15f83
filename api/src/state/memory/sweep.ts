import { TIMES } from '@passerby/sdk/protocol';
import type { Notice } from '../../domain/notice.ts';
import { bySeniority } from '../../matching/choose.ts';
import { nextDueAt } from '../../matching/expansions.ts';
import type { MatchRules } from '../../matching/rules.ts';
import type { SweepOutcome } from '../state-store.ts';
import { BLOCK_MS } from '../survey.ts';
import { forget, lapse, meet } from './conversations.ts';
import { isGraceOver, type Records, type Site, type Wait } from './records.ts';

/** Does what is due on a site: old memories, pending matches that lapsed, lost sessions, due steps. At most `max` of each. */
export function sweep(records: Records, site: Site, rules: MatchRules, max: number): SweepOutcome {
  const now = site.now();
  site.blocks.forget(now - BLOCK_MS);
  site.meetings.forget(now - rules.repeatMs);
  site.parties.forget(now - TIMES.reportMs);
  return {
    notices: [
      ...lapsePendingMatches(site, rules, now, max),
      ...closeLost(records, site, max),
      ...expand(site, rules, now, max),
    ],
    isMore: isAnythingDue(site, now),
    isElsewhere: false,
  };
}

function lapsePendingMatches(site: Site, rules: MatchRules, now: number, max: number): Notice[] {
  const notices: Notice[] = [];
  let left = max;
  // Oldest first: matches lapse in the order in which they were made.
  for (const conversation of site.conversations.values()) {
    const { pending } = conversation;
    if (pending === null) continue;
    if (pending.lapsesAt > now || left-- === 0) break;
    notices.push(...lapse(conversation, pending, rules));
  }
  return notices;
}

function closeLost(records: Records, site: Site, max: number): Notice[] {
  const notices: Notice[] = [];
  let left = max;
  for (const session of site.away.values()) {
    if (left-- === 0 || !isGraceOver(session)) break;
    notices.push(...forget(records, session, 'peer_lost'));
  }
  return notices;
}

/** Looks again at waiters whose step changed, so that two who fit only now meet without a third arriving. */
function expand(site: Site, rules: MatchRules, now: number, max: number): Notice[] {
  const notices: Notice[] = [];
  const due = dueIn(site, now)
    .sort((a, b) => a.dueAt! - b.dueAt!)
    .slice(0, max)
    .sort(bySeniority);
  for (const wait of due) {
    const session = site.sessions.get(wait.sessionId);
    // An earlier one of this round may have met them.
    if (session?.wait !== wait) continue;
    wait.dueAt = nextDueAt(rules.expansions, wait.since, now);
    notices.push(...meet(session, wait, rules));
  }
  return notices;
}

function isAnythingDue(site: Site, now: number): boolean {
  const [longestAway] = site.away.values();
  if (longestAway !== undefined && isGraceOver(longestAway)) return true;
  return hasLapsed(site, now) || dueIn(site, now).length > 0;
}

/** Returns whether the oldest pending match has lapsed: they lapse in the order in which they were made. */
function hasLapsed({ conversations }: Site, now: number): boolean {
  for (const { pending } of conversations.values()) if (pending !== null) return pending.lapsesAt <= now;
  return false;
}

/** Returns the waits in the queue whose next step is due. */
function dueIn(site: Site, now: number): Wait[] {
  return [...site.waiting.values()].flatMap(({ wait, awaySince }) =>
    wait?.dueAt == null || wait.dueAt > now || awaySince !== null ? [] : [wait],
  );
}
