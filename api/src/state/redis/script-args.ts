import type { LocalView } from '../../domain/notice.ts';
import type { SessionRef } from '../../domain/session.ts';
import type { VisitorFingerprint } from '../../domain/visitor-fingerprint.ts';
import { lookupsOf, tagsOf, type Ticket } from '../../matching/ticket.ts';

/** Returns the arguments by which a script knows its caller. */
export function callerOf({ sessionId, fence }: SessionRef): { session: string; fence: number } {
  return { session: sessionId, fence };
}

/** Serialises a fingerprint, which scripts keep as text. */
export function fingerprintText(fingerprint: VisitorFingerprint): string {
  return JSON.stringify(fingerprint);
}

/** Serialises a ticket for Lua: fields absent instead of `null`, with its tags and lookups. */
export function ticketText(ticket: Ticket): string {
  const given = Object.fromEntries(Object.entries(ticket).filter(([, value]) => value !== null));
  return JSON.stringify({ ticket: given, tags: tagsOf(ticket), lookups: lookupsOf(ticket) });
}

/** Serialises a node's view of its sessions, as `compare` unpacks it. */
export function heldText(held: readonly LocalView[]): string {
  return JSON.stringify(
    held.map(({ session, seat, isPeerAway, isWaiting, toldAt }) => [
      session.sessionId,
      session.fence,
      seat?.conversationId ?? '',
      seat?.peer.nodeId ?? '',
      isPeerAway ? 'away' : 'here',
      isWaiting,
      toldAt,
    ]),
  );
}
