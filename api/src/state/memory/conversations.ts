import type { EndReason, SessionState } from '@passerby/sdk/protocol';
import type { Notice } from '../../domain/notice.ts';
import type { Seat } from '../../domain/session.ts';
import { Refusal } from '../../errors.ts';
import { intersection } from '../../matching/distance.ts';
import type { MatchRules } from '../../matching/rules.ts';
import type { Ticket } from '../../matching/ticket.ts';
import type { FindOutcome } from '../state-store.ts';
import { TYPICAL_WAIT } from '../survey.ts';
import { choosePeer, dequeue, enqueue, keepWait, stopWaiting } from './queue.ts';
import {
  locationOf,
  peerOf,
  presenceNotices,
  type Conversation,
  type PendingMatch,
  type Records,
  type Session,
  type Wait,
} from './records.ts';

type EndNotice = Extract<Notice, { kind: 'ended' }>;

export function seatOf(conversation: Conversation, session: Session): Seat {
  return {
    conversationId: conversation.id,
    role: conversation.seats[0] === session ? 'offerer' : 'answerer',
    shared: conversation.shared,
    peer: locationOf(peerOf(conversation, session)),
  };
}

export function stateOf(session: Session): SessionState {
  if (session.conversation !== null) {
    const { peer: _, ...conversation } = seatOf(session.conversation, session);
    const isAway = peerOf(session.conversation, session).awaySince !== null;
    return { status: 'chatting', conversation, peer: isAway ? 'away' : 'here' };
  }
  if (session.wait !== null) return { status: 'waiting', waitingForMs: session.site.now() - session.wait.since };
  return { status: 'idle' };
}

function start(first: Session, second: Session, rules: MatchRules, now: number): Notice[] {
  const { site } = first;
  const waits: [Wait, Wait] = [first.wait!, second.wait!];
  const [a, b] = [waits[0].ticket, waits[1].ticket];
  const conversation: Conversation = {
    id: site.ids.conversation(),
    seats: [first, second],
    pending: { waits, confirmed: new Set(), lapsesAt: now + rules.confirmMs },
    shared: {
      interests: intersection(a.interests, b.interests),
      isSameTopic: a.topic !== null && a.topic === b.topic,
    },
  };
  site.conversations.set(conversation.id, conversation);
  site.parties.met(
    conversation.id,
    conversation.seats.map(({ id, fingerprint }) => ({ sessionId: id, fingerprint })),
  );
  for (const { since } of waits) site.recentWaits.push(now - since);
  site.recentWaits.splice(0, Math.max(0, site.recentWaits.length - TYPICAL_WAIT.ofLast));
  return conversation.seats.map((session) => {
    session.matchedBy = session.wait!.ticket.requestId;
    stopWaiting(session);
    session.conversation = conversation;
    session.last = { id: conversation.id, peerId: peerOf(conversation, session).id };
    return { kind: 'started', revision: 0, to: locationOf(session), seat: seatOf(conversation, session) };
  });
}

/** Ends a conversation; `by` is the side that left, or `null` when the service ended it for both. */
export function finish(
  conversation: Conversation,
  by: Session | null,
  reason: EndReason,
  peerReason: EndReason = 'peer_left',
): EndNotice[] {
  const [first, second] = conversation.seats;
  const { site } = first;
  site.conversations.delete(conversation.id);
  site.parties.ended(conversation.id, site.now());
  if (reason !== 'unconfirmed') site.meetings.remember(first.id, second.id, site.now());
  return conversation.seats.map((session) => {
    session.conversation = null;
    session.matchedBy = null;
    return {
      kind: 'ended',
      revision: 0,
      to: locationOf(session),
      conversationId: conversation.id,
      reason: by === null || by === session ? reason : peerReason,
    };
  });
}

/** Starts a conversation with a peer who fits now, if there is one. */
export function meet(session: Session, wait: Wait, rules: MatchRules): Notice[] {
  const now = session.site.now();
  const peer = choosePeer(session, wait, rules, now);
  return peer === undefined ? [] : start(peer, session, rules, now);
}

/** Puts a session in the queue (again, or with another ticket) and looks for a peer who fits now. */
export function waitInQueue(session: Session, wait: Wait, rules: MatchRules): Notice[] {
  dequeue(session);
  enqueue(session, wait, rules);
  return meet(session, wait, rules);
}

/** Puts a connected session in the queue; only keeps the place of one that is away. */
function waitIfConnected(session: Session, wait: Wait, rules: MatchRules): Notice[] {
  if (session.awaySince === null) return waitInQueue(session, wait, rules);
  keepWait(session, wait);
  return [];
}

/** Ends a match that was not confirmed in time; a side that confirmed is back in the queue with its place. */
export function lapse(conversation: Conversation, pending: PendingMatch, rules: MatchRules): Notice[] {
  const notices: Notice[] = [];
  finish(conversation, null, 'unconfirmed').forEach((notice, index) => {
    const isBack = pending.confirmed.has(conversation.seats[index]!);
    notices.push(isBack ? notice : { ...notice, reason: 'peer_left' });
  });
  conversation.seats.forEach((session, index) => {
    if (pending.confirmed.has(session)) notices.push(...waitIfConnected(session, pending.waits[index]!, rules));
  });
  return notices;
}

/** Returns a wait for this ticket: with the place of the present one, or a new place at the end. */
function waitFor({ id, site, wait }: Session, ticket: Ticket): Wait {
  const place = wait ?? { since: site.now(), seq: ++site.seq };
  return { ...place, sessionId: id, ticket, dueAt: null };
}

/** Answers `match:find`, also as the `next` of leaving. */
export function find(session: Session, ticket: Ticket, rules: MatchRules): FindOutcome {
  if (session.conversation !== null) {
    if (session.matchedBy === ticket.requestId) return { status: 'matched', notices: [] };
    throw new Refusal('already_in_conversation');
  }
  // The connection may have gone while the request was under way.
  const notices = waitIfConnected(session, waitFor(session, ticket), rules);
  return { status: session.conversation === null ? 'waiting' : 'matched', notices };
}

export function suspend(session: Session): Notice[] {
  session.awaySince = session.site.now();
  session.site.away.set(session.id, session);
  dequeue(session);
  return presenceNotices(session);
}

export function forget(records: Records, session: Session, peerReason: EndReason): Notice[] {
  const { conversation } = session;
  const notices = conversation === null ? [] : finish(conversation, session, 'you_left', peerReason);
  stopWaiting(session);
  records.remove(session);
  return notices;
}
