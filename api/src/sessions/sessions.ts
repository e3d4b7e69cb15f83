import { TIMES, type PushPayload, type RequestReply, type ResumeToken } from '@passerby/sdk/protocol';
import type { NodeBus } from '../cluster/node-bus.ts';
import type { Clock, MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { Relay } from './relay.ts';
import type { SessionAdmission } from '../admission/session-admission.ts';
import type { WaitStatusNotifier } from './wait-status.ts';
import type { Push } from '../push.ts';
import type { Site } from '../sites/site.ts';
import type { IdSource } from '../domain/id-source.ts';
import { fingerprintOf, type Visitor } from '../domain/visitor.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { Notice } from '../domain/notice.ts';
import type { SessionRef } from '../domain/session.ts';
import type { ResumeOutcome, StateStore } from '../state/state-store.ts';
import type { OnlineCount } from './online-count.ts';
import { ToldBefore } from './told-before.ts';

type Resumed = Extract<ResumeOutcome, { kind: 'resumed' }>;

/** Outcome of the arrival of a connection. */
export type Arrival =
  /** It has a session and was welcomed. The notices are to be told from here on. */
  | { readonly kind: 'here'; readonly notices: readonly Notice[] }
  /** Another connection took the session over before this one had it. */
  | { readonly kind: 'superseded' }
  /** It went while it arrived. */
  | { readonly kind: 'gone' };

/**
 * Ties a connection to its session and tells it `session:ready`, in one turn, so that nothing comes before
 * that; `false` if the connection is gone.
 */
export type Welcome = (session: SessionRef, ready: PushPayload<'session:ready'>) => boolean;

/** Sessions of this node: arriving, coming back, losing the connection, being forgotten. */
export class Sessions {
  readonly #store: StateStore;
  readonly #relay: Relay;
  readonly #push: Push;
  readonly #online: OnlineCount;
  readonly #waits: WaitStatusNotifier;
  readonly #bus: NodeBus;
  readonly #ids: IdSource;
  readonly #dates: Clock;
  readonly #clock: MonotonicClock;
  readonly #nodeId: NodeId;
  readonly #tell: (notices: readonly Notice[]) => void;
  readonly #sessionAdmission: Pick<SessionAdmission, 'admit' | 'admitBack'>;
  readonly #toldAt: (session: SessionRef) => number;
  readonly #toldBefore: ToldBefore;
  /** Sites with visitors here, and when one was last seen. */
  readonly #seenAt = new Map<SiteId, number>();
  readonly #closing = new Set<SessionId>();
  /** One for each connection that waits to be let in: which sessions were taken over meanwhile, from which fence on. */
  readonly #arriving = new Set<Map<SessionId, number>>();

  constructor(parts: {
    store: StateStore;
    relay: Relay;
    push: Push;
    online: OnlineCount;
    waits: WaitStatusNotifier;
    bus: NodeBus;
    ids: IdSource;
    dates: Clock;
    clock: MonotonicClock;
    nodeId: NodeId;
    tell: (notices: readonly Notice[]) => void;
    sessionAdmission: Pick<SessionAdmission, 'admit' | 'admitBack'>;
    toldAt: (session: SessionRef) => number;
  }) {
    this.#store = parts.store;
    this.#relay = parts.relay;
    this.#push = parts.push;
    this.#online = parts.online;
    this.#waits = parts.waits;
    this.#bus = parts.bus;
    this.#ids = parts.ids;
    this.#dates = parts.dates;
    this.#clock = parts.clock;
    this.#nodeId = parts.nodeId;
    this.#tell = parts.tell;
    this.#sessionAdmission = parts.sessionAdmission;
    this.#toldAt = parts.toldAt;
    this.#toldBefore = new ToldBefore(parts.clock);
  }

  /**
   * Opens a session, or resumes the one the token stands for. The socket that held it before is told
   * and closed first, so that there are never two.
   */
  async arrive(site: Site, presented: ResumeToken | undefined, visitor: Visitor, welcome: Welcome): Promise<Arrival> {
    const fingerprint = fingerprintOf(visitor);
    const subject = { site: site.id, address: visitor.addresses[0] };
    const resume = this.#ids.resume();
    const told = { resume, policy: site.policy, now: this.#dates() };
    const takenOver = new Map<SessionId, number>();
    this.#arriving.add(takenOver);
    try {
      if (presented !== undefined) {
        await this.#sessionAdmission.admitBack(subject);
        const outcome = await this.#store.resume(site.id, this.#nodeId, presented, resume, site.match, fingerprint);
        if (outcome.kind === 'resumed') {
          const known = this.#isOutlived(outcome) ? await this.#leaveOutlived(site, outcome) : outcome;
          return await this.#comeBack(site, known, told, takenOver, visitor, welcome);
        }
      }
      await this.#sessionAdmission.admit(subject);
      const { session } = await this.#store.open(site.id, this.#nodeId, resume, fingerprint);
      if (visitor.agreed.ageBand !== null) await this.#store.agree(session, { ageBand: visitor.agreed.ageBand });
      const { agreed } = visitor;
      const isHere = welcome(session, { ...told, recovered: false, agreed, state: { status: 'idle' } });
      if (!isHere) return await this.#goAgain(session, []);
      this.#touch(site.id);
      return { kind: 'here', notices: [] };
    } finally {
      this.#arriving.delete(takenOver);
    }
  }

  /** The visitor has the token they were told: from here on only that one brings them back. */
  settle(session: SessionRef): Promise<void> {
    return this.#store.settle(session);
  }

  /** The visitor's connection is gone; the grace period starts. */
  async suspend(session: SessionRef): Promise<void> {
    this.#noteTold(session);
    this.#forget(session.sessionId);
    this.#tell((await this.#store.suspend(session)).notices);
    this.#touch(session.site);
  }

  /** The visitor asks to be forgotten. The connection is closed once that is answered. */
  async close(session: SessionRef): Promise<RequestReply<'session:close'>> {
    const { sessionId } = session;
    this.#closing.add(sessionId);
    try {
      this.#tell((await this.#store.close(session)).notices);
    } catch (thrown) {
      this.#closing.delete(sessionId);
      throw thrown;
    }
    this.#forget(sessionId);
    this.#touch(session.site);
    setImmediate(() => {
      this.#push.disconnect(sessionId);
      this.#closing.delete(sessionId);
    });
    return { status: 'closed' };
  }

  /** The service no longer wants a visitor of this node: says why, forgets the session and ends what it was in. */
  async evict(session: SessionRef, why: Refusal): Promise<void> {
    const { sessionId } = session;
    this.#push.toSession(sessionId, 'session:refused', why.toWire());
    this.#push.disconnect(sessionId);
    this.#forget(sessionId);
    this.#touch(session.site);
    this.#tell((await this.#store.close(session)).notices);
  }

  /** Returns whether the visitor asked to be forgotten and has not been answered: that the session is gone is no news then. */
  isClosing(sessionId: SessionId): boolean {
    return this.#closing.has(sessionId);
  }

  /** Sites this node must look after: visitors are connected here, or were within their grace period when this was asked before. */
  activeSites(): readonly SiteId[] {
    this.#toldBefore.forget();
    const since = this.#clock() - TIMES.graceMs - LINGER_MS;
    const sites = [...this.#seenAt.keys()];
    for (const [site, seenAt] of this.#seenAt) {
      if (this.#push.hasVisitors(site)) this.#seenAt.set(site, this.#clock());
      else if (seenAt < since) this.#seenAt.delete(site);
    }
    return sites;
  }

  /** The same sites, without any of them being let go. */
  sitesHeld(): readonly SiteId[] {
    return [...this.#seenAt.keys()];
  }

  /** Not all that is due on a site could be done: it is looked after once more, even if it was for the last time. */
  lookAgain(site: SiteId): void {
    if (!this.#seenAt.has(site)) this.#seenAt.set(site, -Infinity);
  }

  /** Number of sites that are looked after, for the tests that show nothing is left behind. */
  get siteCount(): number {
    return this.#seenAt.size;
  }

  /** Another node has the session from this fence on. */
  supersedeBefore(sessionId: SessionId, fence: number): void {
    this.#noteTakeover(sessionId, fence);
    const held = this.#push.sessionOf(sessionId);
    // It may have come back here since.
    if (held !== null && held.fence < fence) this.supersede(sessionId);
  }

  /** A session's socket on this node must go: it was resumed elsewhere. */
  supersede(sessionId: SessionId): void {
    this.#push.toSession(sessionId, 'session:superseded', {});
    this.#push.disconnect(sessionId);
    this.#forget(sessionId);
  }

  /** Returns whether the store brings a visitor back to a conversation that this node told them the end of: it went back in time. */
  #isOutlived({ session: { sessionId }, seat, seatedAt }: Resumed): boolean {
    if (seat === null) return false;
    const here = this.#push.sessionOf(sessionId);
    // The connection before may still be there, and about to be superseded.
    if (here !== null) this.#noteTold(here);
    return this.#toldBefore.isOver(sessionId, seat.conversationId, seatedAt);
  }

  #noteTold(session: SessionRef): void {
    const { sessionId } = session;
    const conversationId = this.#relay.seatOf(sessionId)?.conversationId ?? null;
    this.#toldBefore.note(sessionId, this.#toldAt(session), conversationId);
  }

  async #leaveOutlived(site: Site, outcome: Resumed): Promise<Resumed> {
    const { notices } = await this.#store.leave(outcome.session, outcome.seat!.conversationId, null, site.match);
    return { ...outcome, seat: null, state: { status: 'idle' }, notices: [...outcome.notices, ...notices] };
  }

  /** Runs in one turn, so that of several who come back with one token each finds what the others did. */
  #comeBack(
    site: Site,
    { session, seat, state, agreed, previous, notices }: Resumed,
    told: Omit<PushPayload<'session:ready'>, 'recovered' | 'agreed' | 'state'>,
    takenOver: ReadonlyMap<SessionId, number>,
    visitor: Visitor,
    welcome: Welcome,
  ): Arrival | Promise<Arrival> {
    const { sessionId, fence } = session;
    // Also if the store knows of one elsewhere: word that it went there may still be on its way here.
    this.supersedeBefore(sessionId, fence);
    if (previous.nodeId !== this.#nodeId) this.#bus.send(previous.nodeId, { kind: 'superseded', sessionId, fence });
    if ((takenOver.get(sessionId) ?? 0) > fence) {
      this.#tell(notices);
      return { kind: 'superseded' };
    }
    const claimed = visitor.agreed.ageBand;
    if (claimed !== null && claimed !== agreed.ageBand) return this.#beginAnew(session, notices);
    visitor.agreed = agreed;
    if (!welcome(session, { ...told, recovered: true, agreed: visitor.agreed, state }))
      return this.#goAgain(session, notices);
    if (seat !== null) {
      const isPeerAway = state.status === 'chatting' && state.peer === 'away';
      this.#relay.seat(sessionId, seat, site.policy.inactivityMs, isPeerAway);
    }
    if (state.status === 'waiting') this.#waits.follow(sessionId, state.waitingForMs);
    this.#touch(site.id);
    return { kind: 'here', notices };
  }

  /** The site names another band than the session has, in whose line it may stand: that session is over. */
  async #beginAnew(session: SessionRef, notices: readonly Notice[]): Promise<never> {
    this.#tell([...notices, ...(await this.#store.close(session)).notices]);
    this.#touch(session.site);
    throw new Refusal('age_band_fixed');
  }

  async #goAgain(session: SessionRef, notices: readonly Notice[]): Promise<Arrival> {
    this.#tell(notices);
    await this.suspend(session);
    return { kind: 'gone' };
  }

  /** Whoever still arrives under an older fence comes too late. */
  #noteTakeover(sessionId: SessionId, fence: number): void {
    for (const takenOver of this.#arriving) {
      takenOver.set(sessionId, Math.max(fence, takenOver.get(sessionId) ?? 0));
    }
  }

  /** State of this node for a connected visitor. */
  #forget(sessionId: SessionId): void {
    this.#relay.unseat(sessionId);
    this.#waits.unfollow(sessionId);
  }

  #touch(site: SiteId): void {
    this.#seenAt.set(site, this.#clock());
    this.#online.touch(site);
  }
}

/** Time beyond the grace period for which a site is looked after, so that its last visitors are closed. Milliseconds. */
const LINGER_MS = 10_000;
