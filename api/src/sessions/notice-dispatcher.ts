import type { ConversationId, EndReason, RequestReply } from '@passerby/sdk/protocol';
import type { NodeBus } from '../cluster/node-bus.ts';
import { stepAt } from '../matching/expansions.ts';
import type { MatchRules } from '../matching/rules.ts';
import type { Ticket } from '../matching/ticket.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { STEPS } from '../observability/metrics-table.ts';
import type { WaitStatusNotifier } from './wait-status.ts';
import type { Push } from '../push.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import { attemptEach } from '../state/attempt-each.ts';
import type { SiteTurns } from '../state/site-turns.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { Correction, Notice } from '../domain/notice.ts';
import type { Seat, SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Relay } from './relay.ts';

/** Starts and ends of conversations: what the store decided reaches the relay and both visitors, by the same path. */
export class NoticeDispatcher {
  readonly #store: StateStore;
  readonly #relay: Relay;
  readonly #push: Push;
  readonly #sites: SiteDirectory;
  readonly #bus: NodeBus;
  readonly #waits: WaitStatusNotifier;
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #nodeId: NodeId;
  readonly #turns: SiteTurns;
  /** By the session as its present socket holds it, so that it goes with the socket. */
  readonly #toldAt = new WeakMap<SessionRef, number>();

  constructor(parts: {
    store: StateStore;
    relay: Relay;
    push: Push;
    sites: SiteDirectory;
    bus: NodeBus;
    waits: WaitStatusNotifier;
    log: Log;
    metrics: Metrics;
    nodeId: NodeId;
    turns: SiteTurns;
  }) {
    this.#store = parts.store;
    this.#relay = parts.relay;
    this.#push = parts.push;
    this.#sites = parts.sites;
    this.#bus = parts.bus;
    this.#waits = parts.waits;
    this.#log = parts.log;
    this.#metrics = parts.metrics;
    this.#nodeId = parts.nodeId;
    this.#turns = parts.turns;
  }

  async leave(
    session: SessionRef,
    conversationId: ConversationId,
    next: Ticket | null,
    rules: MatchRules,
  ): Promise<RequestReply<'conversation:leave'>> {
    const outcome = await this.#store.leave(session, conversationId, next, rules);
    this.dispatch(outcome.notices);
    this.#endNow(session, conversationId, outcome.revision);
    // Another node's match may have been told before this answer came.
    const isWaiting = outcome.next === 'waiting' && this.#relay.seatOf(session.sessionId) === undefined;
    if (isWaiting) this.#waits.follow(session.sessionId);
    return { status: 'left', next: outcome.next };
  }

  async block(session: SessionRef, conversationId: ConversationId): Promise<RequestReply<'conversation:block'>> {
    const outcome = await this.#store.block(session, conversationId);
    this.dispatch(outcome.notices);
    this.#endNow(session, conversationId, outcome.revision);
    return { status: 'blocked' };
  }

  /** Ends conversations in which nobody said anything for too long. */
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

  /** Tells a visitor of this node. */
  dispatchLocally(notice: Notice): void {
    const { sessionId, site } = notice.to;
    // Going and coming of a peer is no news of where the visitor sits: a start that is still on its way is told.
    if (notice.kind === 'presence' && this.#relay.seatOf(sessionId)?.conversationId !== notice.conversationId) return;
    if (!this.#isNews(sessionId, notice.revision)) return;
    switch (notice.kind) {
      case 'started': {
        const policy = this.#sites.byId(site)?.policy;
        const before = this.#relay.seatOf(sessionId)?.conversationId;
        if (policy === undefined || before === notice.seat.conversationId) return;
        // Its end was decided before this start, on another node, and is still on its way.
        if (before !== undefined) this.#ended(sessionId, before, 'peer_left');
        const { peer: _, ...conversation } = notice.seat;
        this.#measureMatch(site, sessionId, notice.seat.role);
        this.#waits.unfollow(sessionId);
        this.#relay.seat(sessionId, notice.seat, policy.inactivityMs);
        this.#push.toStarted(sessionId, { ...conversation, policy }, (session) => {
          this.#confirm(session, conversation.conversationId);
        });
        return;
      }
      case 'ended':
        return this.#ended(sessionId, notice.conversationId, notice.reason);
      case 'presence': {
        const { conversationId, presence, peer } = notice;
        this.#relay.setPeer(sessionId, peer, presence === 'away');
        this.#push.toSession(sessionId, 'conversation:peer', { conversationId, presence });
        return;
      }
    }
  }

  /** The store says that a visitor of this node sits here, whatever they were told. */
  correctSeat({ sessionId, revision, seat, isPeerAway }: Extract<Correction, { kind: 'seated' }>): void {
    const { conversationId, peer } = seat;
    const to = { site: peer.site, sessionId, nodeId: this.#nodeId };
    this.dispatchLocally({ kind: 'started', revision, to, seat });
    if (this.#relay.isPeerAway(sessionId) === isPeerAway) this.#relay.setPeer(sessionId, peer, isPeerAway);
    else
      this.dispatchLocally({
        kind: 'presence',
        revision,
        to,
        conversationId,
        presence: isPeerAway ? 'away' : 'here',
        peer,
      });
  }

  /** The store says that a visitor of this node sits nowhere. */
  correctNoSeat(sessionId: SessionId, reason: EndReason, revision: number): void {
    const seat = this.#relay.seatOf(sessionId);
    if (seat !== undefined && this.#isNews(sessionId, revision)) this.#ended(sessionId, seat.conversationId, reason);
  }

  /** Leaves a conversation the visitor was told the end of, and which the store went back to. */
  async leaveOutlived(session: SessionRef, conversationId: ConversationId): Promise<void> {
    const { notices } = await this.#store.leave(session, conversationId, null, this.#sites.rulesOf(session.site));
    this.dispatch(notices);
  }

  /** The peer ended it first, on another node, and word of it is still on its way: the end comes before the answer. */
  #endNow({ sessionId }: SessionRef, conversationId: ConversationId, revision: number): void {
    if (this.#relay.seatOf(sessionId)?.conversationId !== conversationId) return;
    this.noteTold(sessionId, revision);
    this.#ended(sessionId, conversationId, 'peer_left');
  }

  /** Returns whether the visitor is here and was told nothing newer. Notices of several nodes overtake each other. */
  #isNews(sessionId: SessionId, revision: number): boolean {
    const session = this.#push.sessionOf(sessionId);
    if (session === null || revision < (this.#toldAt.get(session) ?? 0)) return false;
    this.#toldAt.set(session, revision);
    return true;
  }

  /** The visitor learned from an answer how things were at this revision: what is older is no news. */
  noteTold(sessionId: SessionId, revision: number): void {
    const session = this.#push.sessionOf(sessionId);
    if (session !== null) this.#toldAt.set(session, Math.max(revision, this.toldAt(session)));
  }

  /** The revision up to which a visitor was told. */
  toldAt(session: SessionRef): number {
    return this.#toldAt.get(session) ?? 0;
  }

  /** Tells an end once: whoever does not sit there has been told, or never knew of it. */
  #ended(sessionId: SessionId, conversationId: ConversationId, reason: EndReason): void {
    if (this.#relay.seatOf(sessionId)?.conversationId !== conversationId) return;
    this.#relay.unseat(sessionId);
    this.#metrics.count('passerby_ends_total', { reason });
    this.#push.toSession(sessionId, 'conversation:ended', { conversationId, reason });
    if (reason === 'unconfirmed') this.#waits.follow(sessionId);
  }

  /** Each visitor's own wait; the match itself once, where the one found in the queue is told. */
  #measureMatch(site: SiteId, sessionId: SessionId, role: Seat['role']): void {
    const waitedMs = this.#waits.waitedMs(sessionId);
    this.#metrics.observe('passerby_wait_seconds', {}, waitedMs / 1_000);
    if (role !== 'offerer') return;
    const step = STEPS[stepAt(this.#sites.rulesOf(site).expansions, waitedMs)] ?? STEPS.at(-1)!;
    this.#metrics.count('passerby_matches_total', { step });
  }

  #confirm(session: SessionRef, conversationId: ConversationId): void {
    this.#store.confirm(session, conversationId).then(
      ({ notices }) => this.dispatch(notices),
      // Whoever is gone by now confirms nothing; anything else lapses as unconfirmed.
      (thrown: unknown) => this.#log.warn({ site: session.site, error: errorFields(thrown) }, 'confirmation failed'),
    );
  }
}
