import type { ConversationId, EndReason, RequestReply } from '@passerby/sdk/protocol';
import type { NodeBus } from '../cluster/node-bus.ts';
import { stepAt } from '../matching/expansions.ts';
import type { MatchRules } from '../matching/rules.ts';
import type { Ticket } from '../matching/ticket.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { STEPS } from '../observability/metrics-table.ts';
import type { WaitStatusNotifier } from './wait-status.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import { attemptEach } from '../state/attempt-each.ts';
import type { SiteTurns } from '../state/site-turns.ts';
import type { NodeId } from '../domain/ids.ts';
import type { Correction, Notice } from '../domain/notice.ts';
import type { Seat, SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import type { LocalSession, LocalSessions } from './local-sessions.ts';
import type { Relay } from './relay.ts';

/** Applies what the store decided about conversations to the relay and tells both visitors, whichever node they are on. */
export class NoticeDispatcher {
  readonly #store: StateStore;
  readonly #local: LocalSessions;
  readonly #relay: Relay;
  readonly #waits: WaitStatusNotifier;
  readonly #sites: SiteDirectory;
  readonly #bus: NodeBus;
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #nodeId: NodeId;
  readonly #turns: SiteTurns;

  constructor(parts: {
    readonly store: StateStore;
    readonly local: LocalSessions;
    readonly relay: Relay;
    readonly waits: WaitStatusNotifier;
    readonly sites: SiteDirectory;
    readonly bus: NodeBus;
    readonly log: Log;
    readonly metrics: Metrics;
    readonly nodeId: NodeId;
    readonly turns: SiteTurns;
  }) {
    this.#store = parts.store;
    this.#local = parts.local;
    this.#relay = parts.relay;
    this.#waits = parts.waits;
    this.#sites = parts.sites;
    this.#bus = parts.bus;
    this.#log = parts.log;
    this.#metrics = parts.metrics;
    this.#nodeId = parts.nodeId;
    this.#turns = parts.turns;
  }

  async leave(
    session: LocalSession,
    conversationId: ConversationId,
    next: Ticket | null,
    rules: MatchRules,
  ): Promise<RequestReply<'conversation:leave'>> {
    const outcome = await this.#store.leave(session.ref, conversationId, next, rules);
    this.dispatch(outcome.notices);
    this.#endNow(session, conversationId, outcome.revision);
    // Another node's match may have been told before this answer came.
    if (outcome.next === 'waiting' && session.seating === null) this.#waits.follow(session);
    return { status: 'left', next: outcome.next };
  }

  async block(session: LocalSession, conversationId: ConversationId): Promise<RequestReply<'conversation:block'>> {
    const outcome = await this.#store.block(session.ref, conversationId);
    this.dispatch(outcome.notices);
    this.#endNow(session, conversationId, outcome.revision);
    return { status: 'blocked' };
  }

  /** Ends conversations without a message for too long. */
  async endSilent(): Promise<void> {
    const silent = this.#relay.silent();
    await this.#turns.each('silence', new Set(silent.map(({ peer }) => peer.site)), (site) => {
      const ofSite = silent.filter(({ peer }) => peer.site === site);
      return attemptEach(ofSite, async ({ conversationId }) => {
        this.dispatch((await this.#store.end(site, conversationId, 'idle')).notices);
      });
    });
  }

  /** Carries out what a transition of the store means for visitors, on whichever node they are. */
  dispatch(notices: readonly Notice[]): void {
    for (const notice of notices) {
      if (notice.to.nodeId === this.#nodeId) this.dispatchLocally(notice);
      else this.#bus.send(notice.to.nodeId, { kind: 'notice', notice });
    }
  }

  /** Tells a visitor of this node, if they are still here and the notice is news to them. */
  dispatchLocally(notice: Notice): void {
    const session = this.#local.find(notice.to.sessionId);
    if (session === undefined) return;
    const before = session.seat?.conversationId;
    // Presence of a peer is no news of where the visitor sits: a start that is still on its way is told.
    if (notice.kind === 'presence' && before !== notice.conversationId) return;
    if (!isNews(session, notice.revision)) return;
    switch (notice.kind) {
      case 'started': {
        const policy = this.#sites.byId(notice.to.site)?.policy;
        if (policy === undefined || before === notice.seat.conversationId) return;
        // Its end was decided before this start, on another node, and is still on its way.
        if (before !== undefined) this.#ended(session, before, 'peer_left');
        const { peer: _, ...conversation } = notice.seat;
        this.#measureMatch(session, notice.seat.role);
        this.#waits.unfollow(session);
        this.#relay.seat(session, notice.seat, policy.inactivityMs);
        session.connection.pushStarted({ ...conversation, policy }, () => {
          if (this.#local.has(session)) this.#confirm(session.ref, conversation.conversationId);
        });
        return;
      }
      case 'ended':
        return this.#ended(session, notice.conversationId, notice.reason);
      case 'presence': {
        const { conversationId, presence, peer } = notice;
        this.#relay.setPeer(session, peer, presence === 'away');
        session.connection.push('conversation:peer', { conversationId, presence });
        return;
      }
    }
  }

  /** Applies where the store says that a visitor of this node sits, whatever they were told. */
  correctSeat(session: LocalSession, { revision, seat, isPeerAway }: Extract<Correction, { kind: 'seated' }>): void {
    const { conversationId, peer } = seat;
    const to = { site: peer.site, sessionId: session.ref.sessionId, nodeId: this.#nodeId };
    this.dispatchLocally({ kind: 'started', revision, to, seat });
    if ((session.seating?.isPeerAway ?? false) === isPeerAway) this.#relay.setPeer(session, peer, isPeerAway);
    else {
      const presence = isPeerAway ? 'away' : 'here';
      this.dispatchLocally({ kind: 'presence', revision, to, conversationId, presence, peer });
    }
  }

  /** Applies that the store says a visitor of this node sits nowhere. */
  correctNoSeat(session: LocalSession, reason: EndReason, revision: number): void {
    const { seat } = session;
    if (seat !== null && isNews(session, revision)) this.#ended(session, seat.conversationId, reason);
  }

  /** Leaves a conversation whose end the visitor was told, and which the store went back to. */
  async leaveOutlived({ ref }: LocalSession, conversationId: ConversationId): Promise<void> {
    const { notices } = await this.#store.leave(ref, conversationId, null, this.#sites.rulesOf(ref.site));
    this.dispatch(notices);
  }

  /** Tells an end that the peer caused first, on another node, and whose notice is still on its way: it precedes the answer. */
  #endNow(session: LocalSession, conversationId: ConversationId, revision: number): void {
    if (session.seat?.conversationId !== conversationId) return;
    session.noteTold(revision);
    this.#ended(session, conversationId, 'peer_left');
  }

  /** Tells an end once: a visitor who does not sit there was told before, or never knew of it. */
  #ended(session: LocalSession, conversationId: ConversationId, reason: EndReason): void {
    if (session.seat?.conversationId !== conversationId) return;
    this.#relay.unseat(session);
    this.#metrics.count('passerby_ends_total', { reason });
    session.connection.push('conversation:ended', { conversationId, reason });
    if (reason === 'unconfirmed') this.#waits.follow(session);
  }

  /** Measures each visitor's own wait; the match itself once, where the one found in the queue is told. */
  #measureMatch(session: LocalSession, role: Seat['role']): void {
    const waitedMs = this.#waits.waitedMs(session);
    this.#metrics.observe('passerby_wait_seconds', {}, waitedMs / 1_000);
    if (role !== 'offerer') return;
    const step = STEPS[stepAt(this.#sites.rulesOf(session.ref.site).expansions, waitedMs)] ?? STEPS.at(-1)!;
    this.#metrics.count('passerby_matches_total', { step });
  }

  #confirm(ref: SessionRef, conversationId: ConversationId): void {
    this.#store.confirm(ref, conversationId).then(
      ({ notices }) => this.dispatch(notices),
      // A visitor who is gone by now confirms nothing; anything else lapses as unconfirmed.
      (thrown: unknown) => this.#log.warn({ site: ref.site, error: errorFields(thrown) }, 'confirmation failed'),
    );
  }
}

/** Returns whether a notice is no older than what the visitor was told, and notes it. Notices of several nodes overtake each other. */
function isNews(session: LocalSession, revision: number): boolean {
  if (revision < session.toldRevision) return false;
  session.toldRevision = revision;
  return true;
}
