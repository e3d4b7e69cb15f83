import type { PushPayload, RequestReply, ResumeToken } from '@passerby/sdk/protocol';
import type { NodeBus } from '../cluster/node-bus.ts';
import type { Clock, MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { SessionAdmission } from '../admission/session-admission.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Site } from '../sites/site.ts';
import type { IdSource } from '../domain/id-source.ts';
import { fingerprintOf, type Visitor } from '../domain/visitor.ts';
import type { NodeId, SessionId } from '../domain/ids.ts';
import type { Notice } from '../domain/notice.ts';
import type { SessionRef } from '../domain/session.ts';
import type { ResumeOutcome, StateStore } from '../state/state-store.ts';
import type { LocalSession, LocalSessions, VisitorConnection } from './local-sessions.ts';
import type { NoticeDispatcher } from './notice-dispatcher.ts';
import type { OnlineCount } from './online-count.ts';
import type { Relay } from './relay.ts';
import type { SiteActivity } from './site-activity.ts';
import { ToldBefore } from './told-before.ts';
import type { WaitStatusNotifier } from './wait-status.ts';

type Resumed = Extract<ResumeOutcome, { kind: 'resumed' }>;
type Ready = PushPayload<'session:ready'>;

/** Outcome of the arrival of a connection. */
export type Arrival =
  /** With a session, and welcomed. */
  | { readonly kind: 'here'; readonly session: LocalSession }
  /** Another connection took the session over before this one had it. */
  | { readonly kind: 'superseded' }
  /** Closed while it arrived. */
  | { readonly kind: 'gone' };

/** Connection that arrives: who it is of, and which sessions were taken over meanwhile, from which fence on. */
interface Arriving {
  readonly site: Site;
  readonly visitor: Visitor;
  readonly connection: VisitorConnection;
  /** Part of `session:ready` that does not depend on the session. */
  readonly told: Pick<Ready, 'resume' | 'policy' | 'now'>;
  readonly takenOver: Map<SessionId, number>;
  /** Session that the store has for it; `null` before that. */
  sessionId: SessionId | null;
}

export interface SessionsParts {
  readonly store: StateStore;
  readonly local: LocalSessions;
  readonly relay: Relay;
  readonly waits: WaitStatusNotifier;
  readonly dispatcher: Pick<NoticeDispatcher, 'dispatch'>;
  readonly online: Pick<OnlineCount, 'touch'>;
  readonly activity: SiteActivity;
  readonly bus: NodeBus;
  readonly sessionAdmission: Pick<SessionAdmission, 'admit' | 'admitBack'>;
  readonly ids: IdSource;
  readonly dates: Clock;
  readonly clock: MonotonicClock;
  readonly nodeId: NodeId;
  readonly log: Log;
}

/** Opens, resumes, suspends and closes the sessions of this node. */
export class Sessions {
  readonly #parts: SessionsParts;
  readonly #toldBefore: ToldBefore;
  readonly #arriving = new Set<Arriving>();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#toldBefore = new ToldBefore(parts.clock);
  }

  /**
   * Opens a session, or resumes the one the token stands for. The connection that held it before is told and closed
   * first, so that there are never two.
   */
  async arrive(
    site: Site,
    presented: ResumeToken | undefined,
    visitor: Visitor,
    connection: VisitorConnection,
  ): Promise<Arrival> {
    const { ids, dates } = this.#parts;
    const told = { resume: ids.resume(), policy: site.policy, now: dates() };
    const arriving: Arriving = { site, visitor, connection, told, takenOver: new Map(), sessionId: null };
    this.#arriving.add(arriving);
    try {
      const outcome = presented === undefined ? null : await this.#resume(arriving, presented);
      return outcome === null ? await this.#open(arriving) : await this.#comeBack(arriving, outcome);
    } finally {
      this.#arriving.delete(arriving);
    }
  }

  async #resume(arriving: Arriving, presented: ResumeToken): Promise<Resumed | null> {
    const { store, sessionAdmission, nodeId } = this.#parts;
    const { site, visitor, told } = arriving;
    await sessionAdmission.admitBack({ site: site.id, address: visitor.addresses[0] });
    const outcome = await store.resume(site.id, nodeId, presented, told.resume, site.match, fingerprintOf(visitor));
    if (outcome.kind !== 'resumed') return null;
    arriving.sessionId = outcome.session.sessionId;
    return this.#isOutlived(outcome) ? this.#leaveOutlived(site, outcome) : outcome;
  }

  async #open(arriving: Arriving): Promise<Arrival> {
    const { store, sessionAdmission, nodeId } = this.#parts;
    const { site, visitor, told } = arriving;
    await sessionAdmission.admit({ site: site.id, address: visitor.addresses[0] });
    const { session: ref } = await store.open(site.id, nodeId, told.resume, fingerprintOf(visitor));
    arriving.sessionId = ref.sessionId;
    const { agreed } = visitor;
    if (agreed.ageBand !== null) await store.agree(ref, { ageBand: agreed.ageBand });
    const session = this.#welcome(arriving, ref, { recovered: false, agreed, state: { status: 'idle' } });
    if (session === null) return this.#goAgain(ref, []);
    this.#touch(ref);
    return { kind: 'here', session };
  }

  /** Runs in one turn, so that of several who come back with one token each finds what the others did. */
  #comeBack(arriving: Arriving, outcome: Resumed): Arrival | Promise<Arrival> {
    const { relay, waits, dispatcher, bus, nodeId } = this.#parts;
    const { site, visitor, takenOver } = arriving;
    const { session: ref, seat, state, agreed, previous, notices } = outcome;
    const { sessionId, fence } = ref;
    // Also if the store knows of one elsewhere: the message that it went there may still be on its way here.
    this.supersedeBefore(sessionId, fence);
    if (previous.nodeId !== nodeId) bus.send(previous.nodeId, { kind: 'superseded', sessionId, fence });
    if ((takenOver.get(sessionId) ?? 0) > fence) {
      dispatcher.dispatch(notices);
      return { kind: 'superseded' };
    }
    const claimed = visitor.agreed.ageBand;
    if (claimed !== null && claimed !== agreed.ageBand) return this.#beginAnew(ref, notices);
    visitor.agreed = agreed;
    const session = this.#welcome(arriving, ref, { recovered: true, agreed, state });
    if (session === null) return this.#goAgain(ref, notices);
    if (seat !== null) {
      const isPeerAway = state.status === 'chatting' && state.peer === 'away';
      relay.seat(session, seat, site.policy.inactivityMs, isPeerAway);
    }
    if (state.status === 'waiting') waits.follow(session, state.waitingForMs);
    this.#touch(ref);
    dispatcher.dispatch(notices);
    return { kind: 'here', session };
  }

  /** Ties a connection to its session and tells it `session:ready`; `null` if the connection is closed. */
  #welcome(
    { visitor, connection, told }: Arriving,
    ref: SessionRef,
    state: Pick<Ready, 'recovered' | 'agreed' | 'state'>,
  ): LocalSession | null {
    if (!connection.isOpen) return null;
    const session = this.#parts.local.add(ref, visitor, connection);
    connection.welcome(session, { ...told, ...state }, () => void this.#settle(ref));
    return session;
  }

  /** The visitor has the token they were told: from here on only that one resumes the session. */
  async #settle(ref: SessionRef): Promise<void> {
    try {
      await this.#parts.store.settle(ref);
    } catch (thrown) {
      // The token before stays valid until the next resume or the session's end.
      this.#parts.log.warn({ site: ref.site, error: errorFields(thrown) }, 'settling failed');
    }
  }

  /** Suspends the session of a connection that ended, unless another one has taken it over. */
  async disconnected(session: LocalSession): Promise<void> {
    if (this.#release(session)) await this.suspend(session.ref);
  }

  /** Starts the grace period of a session without a connection here. */
  async suspend(ref: SessionRef): Promise<void> {
    const { store, dispatcher } = this.#parts;
    dispatcher.dispatch((await store.suspend(ref)).notices);
    this.#touch(ref);
  }

  /** Closes a session for its visitor. The connection is closed once that is answered. */
  async close(session: LocalSession): Promise<RequestReply<'session:close'>> {
    const { store, dispatcher } = this.#parts;
    session.isClosing = true;
    try {
      dispatcher.dispatch((await store.close(session.ref)).notices);
    } finally {
      session.isClosing = false;
    }
    this.#release(session);
    this.#touch(session.ref);
    setImmediate(() => session.connection.close());
    return { status: 'closed' };
  }

  /** Closes the session of a visitor who may no longer be here, and tells them why. */
  async evict(session: LocalSession, why: Refusal): Promise<void> {
    const { store, dispatcher } = this.#parts;
    session.connection.push('session:refused', why.toWire());
    this.disconnect(session);
    this.#touch(session.ref);
    dispatcher.dispatch((await store.close(session.ref)).notices);
  }

  /** Closes the connection of a session, whatever becomes of the session. */
  disconnect(session: LocalSession): void {
    this.#release(session);
    session.connection.close();
  }

  /** Closes the connection of a session that another connection resumed. */
  supersede(session: LocalSession): void {
    session.connection.push('session:superseded', {});
    this.disconnect(session);
  }

  /** Supersedes a connection here, or one that arrives, since another one has the session from this fence on. */
  supersedeBefore(sessionId: SessionId, fence: number): void {
    for (const { takenOver } of this.#arriving) {
      takenOver.set(sessionId, Math.max(fence, takenOver.get(sessionId) ?? 0));
    }
    const held = this.#parts.local.find(sessionId);
    // It may have come back here since.
    if (held !== undefined && held.ref.fence < fence) this.supersede(held);
  }

  /** Returns whether a connection is here, or on its way to this session. */
  isExpected(sessionId: SessionId): boolean {
    if (this.#parts.local.find(sessionId) !== undefined) return true;
    for (const arriving of this.#arriving) if (arriving.sessionId === sessionId) return true;
    return false;
  }

  /** Drops what is remembered of visitors who left, once it is no longer needed. Called every round. */
  sweep(): void {
    this.#toldBefore.forget();
    this.#parts.local.sweep();
  }

  /** Returns whether the store resumed a conversation whose end this node told the visitor: it went back in time. */
  #isOutlived({ session: { sessionId }, seat, seatedAt }: Resumed): boolean {
    if (seat === null) return false;
    // The connection before may still be there, and about to be superseded.
    const here = this.#parts.local.find(sessionId);
    if (here !== undefined) this.#noteTold(here);
    return this.#toldBefore.isOver(sessionId, seat.conversationId, seatedAt);
  }

  #noteTold({ ref, toldRevision, seat }: LocalSession): void {
    this.#toldBefore.note(ref.sessionId, toldRevision, seat?.conversationId ?? null);
  }

  async #leaveOutlived(site: Site, outcome: Resumed): Promise<Resumed> {
    const { session, seat } = outcome;
    const { notices } = await this.#parts.store.leave(session, seat!.conversationId, null, site.match);
    return { ...outcome, seat: null, state: { status: 'idle' }, notices: [...outcome.notices, ...notices] };
  }

  /** The site names another age band than the session has, in whose queue it may wait: that session is over. */
  async #beginAnew(ref: SessionRef, notices: readonly Notice[]): Promise<never> {
    const { store, dispatcher } = this.#parts;
    dispatcher.dispatch([...notices, ...(await store.close(ref)).notices]);
    this.#touch(ref);
    throw new Refusal('age_band_fixed');
  }

  async #goAgain(ref: SessionRef, notices: readonly Notice[]): Promise<Arrival> {
    this.#parts.dispatcher.dispatch(notices);
    await this.suspend(ref);
    return { kind: 'gone' };
  }

  /** Removes the record of a connection. Returns `false` if it was removed before. */
  #release(session: LocalSession): boolean {
    const { local, relay, waits } = this.#parts;
    if (!local.remove(session)) return false;
    this.#noteTold(session);
    relay.unseat(session);
    waits.unfollow(session);
    return true;
  }

  #touch({ site }: SessionRef): void {
    this.#parts.activity.touch(site);
    this.#parts.online.touch(site);
  }
}
