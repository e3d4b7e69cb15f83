import type { Agreed, ConversationId, EndReason, PeerPresence, SessionState } from '@passerby/sdk/protocol';
import type { NodeId, SessionId, SiteId } from '../../domain/ids.ts';
import type { Correction, Notice } from '../../domain/notice.ts';
import type { SessionLocation, SessionRef, Seat } from '../../domain/session.ts';
import type { VisitorFingerprint } from '../../domain/visitor-fingerprint.ts';
import { REPAIRED_KINDS } from '../../domain/repaired-kinds.ts';
import type { Answered, RepairOutcome, Reported, ResumeOutcome, Survey, SweepOutcome } from '../state-store.ts';
import { typicalOf } from '../survey.ts';
import { UNIT_SEPARATOR, type ScriptReply } from './script.ts';

export function agreedFrom([rules, ageBand]: readonly [string, string]): Agreed {
  return { rules: rules === '' ? null : rules, ageBand: ageBand === '' ? null : ageBand };
}

function seatFrom(site: SiteId, fields: readonly unknown[]): Seat {
  const [conversationId, role, peerId, peerNode, isSameTopic, interests] = fields as string[];
  return {
    conversationId: conversationId as ConversationId,
    role: role as Seat['role'],
    shared: {
      interests: interests === '' ? [] : interests!.split(UNIT_SEPARATOR),
      isSameTopic: isSameTopic === '1',
    },
    peer: { site, sessionId: peerId as SessionId, nodeId: peerNode as NodeId },
  };
}

function stateFrom(state: readonly unknown[], seat: Seat | null): SessionState {
  if (seat !== null) {
    const { peer: _, ...conversation } = seat;
    return { status: 'chatting', conversation, peer: state[1] as PeerPresence };
  }
  if (state[0] === 'waiting') return { status: 'waiting', waitingForMs: state[1] as number };
  return { status: 'idle' };
}

export function resumeOutcome(site: SiteId, reply: ScriptReply): ResumeOutcome {
  if (reply.tag === 'unknown') return { kind: 'unknown' };
  const [sessionId, fence, previousNode, state, seatedAt, ...agreed] = reply.fields as [
    SessionId,
    number,
    NodeId,
    unknown[],
    number,
    string,
    string,
  ];
  const seat = state[0] === 'chatting' ? seatFrom(site, state.slice(2)) : null;
  return {
    kind: 'resumed',
    session: { site, sessionId, fence },
    state: stateFrom(state, seat),
    agreed: agreedFrom(agreed),
    seat,
    seatedAt,
    previous: { site, sessionId, nodeId: previousNode },
    notices: noticesFrom(site, reply),
  };
}

export function placedFrom(site: SiteId, reply: ScriptReply): SessionRef[] {
  return (reply.fields[0] as [SessionId, number][]).map(([sessionId, fence]) => ({ site, sessionId, fence }));
}

export function reportedFrom(reply: ScriptReply): Reported {
  const [peer, own, isConfirmed] = reply.fields as [string, string, number];
  return { peer: fingerprintFrom(peer), own: fingerprintFrom(own), isConfirmed: isConfirmed === 1 };
}

/** Parses a fingerprint. One written by the previous version has the narrowest network only. */
function fingerprintFrom(text: string): VisitorFingerprint {
  return { wider: [], ...(JSON.parse(text) as Omit<VisitorFingerprint, 'wider'>) };
}

export function surveyFrom(reply: ScriptReply): Survey | null {
  if (reply.tag === 'none') return null;
  const [waitedMs, recentWaits, networks, otherLanguageNetworks] = reply.fields as [number, string[], number, number];
  return { waitedMs, typicalWaitMs: typicalOf(recentWaits.map(Number)), networks, otherLanguageNetworks };
}

export function correctionFrom(
  site: SiteId,
  revision: number,
  [kind, id, word, ...seat]: readonly unknown[],
): Correction {
  const sessionId = id as SessionId;
  switch (kind) {
    case 'seated':
      return { kind, sessionId, revision, seat: seatFrom(site, seat), isPeerAway: word === 'away' };
    case 'unseated':
      return { kind, sessionId, revision, reason: word as EndReason };
    case 'outlived':
      return { kind, sessionId, revision, conversationId: word as ConversationId };
    case 'forgotten':
      return { kind, sessionId, revision, known: { site, sessionId, fence: word as number } };
    case 'unasked':
    case 'idle':
    case 'elsewhere':
    case 'away':
    case 'gone':
      return { kind, sessionId, revision };
    default:
      throw new Error(`a correction of an unknown kind: ${String(kind)}`);
  }
}

export function toldBy(site: SiteId, reply: ScriptReply): Answered {
  return { revision: reply.revision, notices: noticesFrom(site, reply) };
}

export function noticesFrom(site: SiteId, reply: ScriptReply): Notice[] {
  return reply.notices.map(([kind, sessionId, nodeId, ...fields]): Notice => {
    const to: SessionLocation = { site, sessionId: sessionId as SessionId, nodeId: nodeId as NodeId };
    const { revision } = reply;
    if (kind === 'started') return { kind, revision, to, seat: seatFrom(site, fields) };
    const [conversationId, word, peerId, peerNode] = fields as [ConversationId, string, SessionId, NodeId];
    if (kind === 'ended') return { kind, revision, to, conversationId, reason: word as EndReason };
    if (kind !== 'presence') throw new Error(`a notice of an unknown kind: ${String(kind)}`);
    const peer: SessionLocation = { site, sessionId: peerId, nodeId: peerNode };
    return { kind, revision, to, conversationId, presence: word as PeerPresence, peer };
  });
}

export function sweepOutcome(site: SiteId, reply: ScriptReply): SweepOutcome {
  const isElsewhere = reply.tag === 'held';
  return { notices: noticesFrom(site, reply), isMore: reply.fields[0] === 1, isElsewhere };
}

export function repairOutcome(site: SiteId, reply: ScriptReply): RepairOutcome {
  const isElsewhere = reply.tag === 'held';
  const [isAtOdds, counts] = isElsewhere ? [0, []] : (reply.fields as [number, readonly number[]]);
  const mended = REPAIRED_KINDS.map((kind, index) => [kind, counts[index] ?? 0] as const).filter(([, n]) => n > 0);
  const notices = noticesFrom(site, reply);
  const isMore = mended.length + notices.length > 0;
  return { notices, isMore, isElsewhere, mended: Object.fromEntries(mended), areCountsAtOdds: isAtOdds === 1 };
}
