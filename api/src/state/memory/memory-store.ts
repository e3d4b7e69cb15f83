import { TIMES, type Agreed, type ConversationId, type EndReason, type ResumeToken } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../../clock.ts';
import { Refusal } from '../../errors.ts';
import type { MatchRules } from '../../matching/rules.ts';
import type { Ticket } from '../../matching/ticket.ts';
import type { IdSource } from '../../domain/id-source.ts';
import type { NodeId, SiteId } from '../../domain/ids.ts';
import type { Correction } from '../../domain/notice.ts';
import type { SessionRef } from '../../domain/session.ts';
import type { VisitorFingerprint } from '../../domain/visitor-fingerprint.ts';
import type {
  Answered,
  CancelOutcome,
  FindOutcome,
  LeaveOutcome,
  OpenOutcome,
  RepairOutcome,
  Reported,
  ResumeOutcome,
  StateStore,
  Survey,
  SweepOutcome,
  Transition,
} from '../state-store.ts';
import { find, finish, forget, seatOf, stateOf, suspend, waitInQueue } from './conversations.ts';
import { stopWaiting } from './queue.ts';
import { locationOf, isGraceOver, presenceNotices, Records, refOf } from './records.ts';
import { survey } from './survey.ts';
import { sweep } from './sweep.ts';

/**
 * Everything in this process's memory: the embedded default. Each transition runs to its end before the
 * next starts, so it is atomic by construction; nothing outlives the process.
 */
export class MemoryStore implements StateStore {
  readonly kind = 'memory';
  readonly #records: Records;

  constructor(clock: MonotonicClock, ids: IdSource) {
    this.#records = new Records(clock, ids);
  }

  async open(
    siteId: SiteId,
    nodeId: NodeId,
    resume: ResumeToken,
    fingerprint: VisitorFingerprint,
  ): Promise<OpenOutcome> {
    return { session: refOf(this.#records.add(siteId, nodeId, resume, fingerprint)) };
  }

  async resume(
    siteId: SiteId,
    nodeId: NodeId,
    presented: ResumeToken,
    next: ResumeToken,
    rules: MatchRules,
    fingerprint: VisitorFingerprint,
  ): Promise<ResumeOutcome> {
    const session = this.#records.tokens.get(presented);
    if (session?.site.id !== siteId || isGraceOver(session)) return { kind: 'unknown' };
    const previous = locationOf(session);
    this.#records.revoke(presented === session.token ? session.formerToken : session.token);
    this.#records.tokens.set(next, session);
    session.site.away.delete(session.id);
    session.formerToken = presented;
    session.token = next;
    session.fence += 1;
    session.nodeId = nodeId;
    session.fingerprint = fingerprint;
    if (session.conversation !== null) session.site.parties.moved(session.conversation.id, session.id, fingerprint);
    session.awaySince = null;
    const notices = presenceNotices(session);
    if (session.wait !== null) notices.push(...waitInQueue(session, session.wait, rules));
    return {
      kind: 'resumed',
      session: refOf(session),
      state: stateOf(session),
      agreed: session.agreed,
      seat: session.conversation === null ? null : seatOf(session.conversation, session),
      seatedAt: 0,
      previous,
      notices,
    };
  }

  async settle(ref: SessionRef): Promise<void> {
    const session = this.#records.current(ref);
    if (session === null) return;
    this.#records.revoke(session.formerToken);
    session.formerToken = null;
  }

  async suspend(ref: SessionRef): Promise<Transition> {
    const session = this.#records.current(ref);
    if (session === null || session.awaySince !== null) return { notices: [] };
    return { notices: suspend(session) };
  }

  async close(ref: SessionRef): Promise<Transition> {
    const session = this.#records.current(ref);
    return { notices: session === null ? [] : forget(this.#records, session, 'peer_left') };
  }

  async agree(ref: SessionRef, agreed: Partial<Agreed>): Promise<Agreed> {
    const session = this.#records.require(ref);
    const { ageBand } = session.agreed;
    if (ageBand !== null && agreed.ageBand !== undefined && agreed.ageBand !== ageBand) {
      throw new Refusal('age_band_fixed');
    }
    session.agreed = { ...session.agreed, ...agreed };
    return session.agreed;
  }

  async find(ref: SessionRef, ticket: Ticket, rules: MatchRules): Promise<FindOutcome> {
    return find(this.#records.require(ref), ticket, rules);
  }

  async cancel(ref: SessionRef): Promise<CancelOutcome> {
    const session = this.#records.require(ref);
    if (session.conversation !== null) return { status: 'already_matched', revision: 0, notices: [] };
    stopWaiting(session);
    return { status: 'cancelled', revision: 0, notices: [] };
  }

  async leave(ref: SessionRef, id: ConversationId, next: Ticket | null, rules: MatchRules): Promise<LeaveOutcome> {
    const session = this.#records.require(ref);
    const conversation = session.conversation;
    const notices = conversation?.id === id ? finish(conversation, session, 'you_left') : [];
    if (next === null) return { next: null, revision: 0, notices };
    const found = find(session, next, rules);
    return { next: found.status, revision: 0, notices: [...notices, ...found.notices] };
  }

  async confirm(ref: SessionRef, id: ConversationId): Promise<Transition> {
    const session = this.#records.require(ref);
    const { conversation } = session;
    if (conversation?.id !== id || conversation.pending === null) return { notices: [] };
    conversation.pending.confirmed.add(session);
    if (conversation.pending.confirmed.size === conversation.seats.length) {
      conversation.pending = null;
      session.site.parties.confirmed(id);
    }
    return { notices: [] };
  }

  async block(ref: SessionRef, id: ConversationId): Promise<Answered> {
    const session = this.#records.require(ref);
    const { conversation, last, site } = session;
    if (last?.id !== id) throw new Refusal('not_in_conversation');
    site.blocks.remember(session.id, last.peerId, site.now());
    return { revision: 0, notices: conversation?.id === id ? finish(conversation, session, 'you_left') : [] };
  }

  async reported(ref: SessionRef, id: ConversationId): Promise<Reported> {
    const { id: sessionId, site } = this.#records.require(ref);
    const reported = site.parties.reportedBy(sessionId, id, site.now() - TIMES.reportMs);
    if (reported === undefined) throw new Refusal('not_in_conversation');
    return reported;
  }

  async end(siteId: SiteId, id: ConversationId, reason: EndReason): Promise<Transition> {
    const conversation = this.#records.site(siteId)?.conversations.get(id);
    return { notices: conversation === undefined ? [] : finish(conversation, null, reason) };
  }

  async sweep(siteId: SiteId, _nodeId: NodeId, rules: MatchRules, max: number): Promise<SweepOutcome> {
    const site = this.#records.site(siteId);
    if (site === undefined) return { notices: [], isMore: false, isElsewhere: false };
    return sweep(this.#records, site, rules, max);
  }

  /** Nothing is ever lost of a store in this process's own memory. */
  async repair(): Promise<RepairOutcome> {
    return { notices: [], isMore: false, isElsewhere: false, mended: {}, areCountsAtOdds: false };
  }

  /** The one node of a store in memory is this process: it lives while it runs. */
  async heartbeat(): Promise<void> {}

  async compare(): Promise<readonly Correction[]> {
    return [];
  }

  async placed(): Promise<readonly SessionRef[]> {
    return [];
  }

  async survey(ref: SessionRef): Promise<Survey | null> {
    return survey(this.#records.require(ref));
  }

  async online(siteId: SiteId): Promise<number> {
    const site = this.#records.site(siteId);
    return site === undefined ? 0 : site.sessions.size - site.away.size;
  }

  /** Counts of all records, for the tests that show nothing is left behind. */
  sizes() {
    return this.#records.sizes();
  }
}
