import type { MatchRules } from '../../matching/rules.ts';
import { choose } from '../../matching/choose.ts';
import { nextDueAt } from '../../matching/expansions.ts';
import { BLOCK_MS } from '../survey.ts';
import type { Session, Wait } from './records.ts';

export function dequeue(session: Session): void {
  if (session.wait !== null) session.site.queue.remove(session.wait);
}

/** Gives a session its place in the queue. One that had a place already is to be dequeued first. */
export function enqueue(session: Session, wait: Wait, rules: MatchRules): void {
  keepWait(session, wait);
  wait.dueAt = nextDueAt(rules.expansions, wait.since, session.site.now());
  session.site.queue.add(wait);
}

/** Keeps the place of a session that is away: out of the queue until it is resumed. */
export function keepWait(session: Session, wait: Wait): void {
  session.wait = wait;
  session.site.waiting.set(session.id, session);
}

export function stopWaiting(session: Session): void {
  dequeue(session);
  session.wait = null;
  session.site.waiting.delete(session.id);
}

/** Returns the best peer in the queue who fits at the time `now`. */
export function choosePeer(session: Session, wait: Wait, rules: MatchRules, now: number): Session | undefined {
  const { site } = session;
  const found = choose(wait, site.queue.candidates(wait, rules), rules, now, ({ sessionId }) => ({
    isBlocked: site.blocks.has(session.id, sessionId, now - BLOCK_MS),
    isRepeat: site.meetings.has(session.id, sessionId, now - rules.repeatMs),
  }));
  return found === null ? undefined : site.sessions.get(found.sessionId);
}
