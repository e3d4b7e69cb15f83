import { networkOf } from '../../domain/visitor-fingerprint.ts';
import { hasCommonOrNone } from '../../matching/distance.ts';
import type { Survey } from '../state-store.ts';
import { mayBeForeign, SURVEYED, typicalOf } from '../survey.ts';
import type { Session, Wait } from './records.ts';
import { countAround } from './waiting-queue.ts';

/** Returns the standing of a session's wait; `null` if it does not wait. */
export function survey(session: Session): Survey | null {
  const { wait, site } = session;
  if (wait === null) return null;
  return {
    waitedMs: site.now() - wait.since,
    typicalWaitMs: typicalOf(site.recentWaits),
    ...networksAround(session, wait, mayBeForeign(countAround(site.queue, wait.ticket))),
  };
}

/**
 * Counts different networks of those in the queue with the session, its own left out. Once there are enough, the queue is
 * looked at further only if somebody in it may speak another language (`isAnyForeign`).
 */
function networksAround({ site, fingerprint }: Session, { ticket }: Wait, isAnyForeign: boolean) {
  const { networksMax, waitersMax } = SURVEYED;
  const own = networkOf(fingerprint);
  const [networks, otherLanguage] = [new Set<string>(), new Set<string>()];
  for (const waiter of site.queue.oldest(ticket.ageBand, waitersMax)) {
    if (otherLanguage.size === networksMax || (!isAnyForeign && networks.size === networksMax)) break;
    const other = site.sessions.get(waiter.sessionId);
    const network = other === undefined ? own : networkOf(other.fingerprint);
    if (network === own) continue;
    networks.add(network);
    if (!hasCommonOrNone(ticket.languages, waiter.ticket.languages)) otherLanguage.add(network);
  }
  return { networks: Math.min(networks.size, networksMax), otherLanguageNetworks: otherLanguage.size };
}
