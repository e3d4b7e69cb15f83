import type { ConversationId } from '@passerby/sdk/protocol';
import type { NoticeDispatcher } from './notice-dispatcher.ts';
import type { Relay } from './relay.ts';
import { Refusal } from '../errors.ts';
import type { WaitStatusNotifier } from './wait-status.ts';
import type { Push } from '../push.ts';
import { attemptEach } from '../state/attempt-each.ts';
import type { RepairPace } from '../state/repair-pace.ts';
import type { SiteTurns } from '../state/site-turns.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { Correction, LocalView } from '../domain/notice.ts';
import type { SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Sessions } from './sessions.ts';

/** Sessions compared in one call, so that no call keeps a store busy for long. */
const COMPARE_MAX = 250;
/** Sessions compared in one round; more than that take several rounds, in turn. */
const ROUND_MAX = 2_000;

/** Corrections for which a record must be missing. All others are notices that were lost, or are on their way. */
const SIGNS_OF_LOSS: ReadonlySet<Correction['kind']> = new Set(['idle', 'gone', 'forgotten']);

/**
 * Notices may be lost: an answer that never came, a link that was cut, a node that died between deciding
 * and telling. So every round this node compares what it believes with what the store says, and tells
 * its visitors what they missed.
 */
export class Reconciler {
  readonly #store: StateStore;
  readonly #relay: Relay;
  readonly #push: Push;
  readonly #sessions: Sessions;
  readonly #dispatcher: NoticeDispatcher;
  readonly #waits: WaitStatusNotifier;
  readonly #nodeId: NodeId;
  readonly #turns: SiteTurns;
  readonly #pace: Pick<RepairPace, 'noteSign'>;
  #turn = 0;
  /** The last session of each site that was looked at among those placed here. */
  readonly #listedTo = new Map<SiteId, SessionId>();

  constructor(parts: {
    store: StateStore;
    relay: Relay;
    push: Push;
    sessions: Sessions;
    dispatcher: NoticeDispatcher;
    waits: WaitStatusNotifier;
    nodeId: NodeId;
    turns: SiteTurns;
    /** Told of sites whose records are not all there. */
    pace: Pick<RepairPace, 'noteSign'>;
  }) {
    this.#store = parts.store;
    this.#relay = parts.relay;
    this.#push = parts.push;
    this.#sessions = parts.sessions;
    this.#dispatcher = parts.dispatcher;
    this.#waits = parts.waits;
    this.#nodeId = parts.nodeId;
    this.#turns = parts.turns;
    this.#pace = parts.pace;
  }

  async round(sites: readonly SiteId[]): Promise<void> {
    const bySite = this.#nextInTurn();
    await this.#turns.each('compare', bySite.keys(), (site) =>
      attemptEach(chunksOf(bySite.get(site)!), (sessions) => this.#compare(site, sessions)),
    );
    await this.#turns.each('strays', sites, (site) => this.#suspendStrays(site));
  }

  /** The sessions here whose turn it is, by site. */
  #nextInTurn(): Map<SiteId, SessionRef[]> {
    const all = [...this.#push.sessions()];
    const start = this.#turn < all.length ? this.#turn : 0;
    this.#turn = start + ROUND_MAX;
    const bySite = new Map<SiteId, SessionRef[]>();
    for (const session of all.slice(start, start + ROUND_MAX)) {
      const ofSite = bySite.get(session.site);
      if (ofSite === undefined) bySite.set(session.site, [session]);
      else ofSite.push(session);
    }
    return bySite;
  }

  /** Returns whether the visitor has been told where they sit; looks it up if not. An answer that promises a start waits for it. */
  async isSeated(session: SessionRef, except?: ConversationId): Promise<boolean> {
    const isTold = () => ![undefined, except].includes(this.#relay.seatOf(session.sessionId)?.conversationId);
    if (!isTold()) await this.#compare(session.site, [session]);
    return isTold();
  }

  async #compare(site: SiteId, sessions: readonly SessionRef[]): Promise<void> {
    const believed = new Map<SessionId, LocalView>();
    for (const session of sessions) {
      const { sessionId } = session;
      const seat = this.#relay.seatOf(sessionId) ?? null;
      const toldAt = this.#dispatcher.toldAt(session);
      const isWaiting = seat === null && this.#waits.isFollowed(sessionId);
      believed.set(sessionId, { session, seat, isPeerAway: this.#relay.isPeerAway(sessionId), isWaiting, toldAt });
    }
    const corrections = await this.#store.compare(site, [...believed.values()]);
    await attemptEach(corrections, async (correction) => {
      const { session, seat, isWaiting, toldAt } = believed.get(correction.sessionId)!;
      const { sessionId } = session;
      const isSame =
        this.#push.sessionOf(sessionId) === session &&
        this.#dispatcher.toldAt(session) === toldAt &&
        (this.#relay.seatOf(sessionId) ?? null) === seat &&
        !this.#sessions.isClosing(sessionId) &&
        (!isWaiting || this.#waits.isFollowed(sessionId));
      // Otherwise something was told meanwhile, on the ordinary way: the next round sees whether that was all.
      if (!isSame) return;
      if (SIGNS_OF_LOSS.has(correction.kind)) this.#pace.noteSign(site);
      await this.#apply(session, correction);
    });
  }

  async #apply(session: SessionRef, correction: Correction): Promise<void> {
    const { sessionId } = correction;
    switch (correction.kind) {
      case 'seated':
        return this.#dispatcher.correctSeat(correction);
      case 'unseated':
        return this.#dispatcher.correctNoSeat(sessionId, correction.reason, correction.revision);
      case 'elsewhere':
        return this.#sessions.supersede(sessionId);
      case 'outlived':
        return this.#dispatcher.leaveOutlived(session, correction.conversationId);
      case 'unasked':
        if (this.#waits.isFollowed(sessionId)) return;
        return this.#dispatcher.dispatch((await this.#store.cancel(session)).notices);
      case 'idle':
      case 'away':
        // Coming back is what puts it right: the client has a token, and is told the whole truth.
        this.#relay.unseat(sessionId);
        return this.#push.disconnect(sessionId);
      case 'gone':
        return this.#turnAway(correction);
      case 'forgotten':
        this.#turnAway(correction);
        return this.#dispatcher.dispatch((await this.#store.close(correction.known)).notices);
    }
  }

  /** There is no session for this socket any more: the visitor is told what is over, and begins anew. */
  #turnAway({ sessionId, revision }: Correction): void {
    this.#dispatcher.correctNoSeat(sessionId, 'service_reset', revision);
    this.#push.toSession(sessionId, 'session:refused', new Refusal('session_gone').toWire());
    this.#push.disconnect(sessionId);
  }

  /** Sessions that count as connected here and have no socket: their end was lost, or their beginning. */
  async #suspendStrays(site: SiteId): Promise<void> {
    const placed = await this.#store.placed(site, this.#nodeId, this.#listedTo.get(site) ?? null, ROUND_MAX);
    if (placed.length < ROUND_MAX) this.#listedTo.delete(site);
    else this.#listedTo.set(site, placed.at(-1)!.sessionId);
    // Whoever opened before the list was made has a socket by the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    await attemptEach(placed, async (session) => {
      if (this.#push.sessionOf(session.sessionId) === null) await this.#sessions.suspend(session);
    });
  }
}

/** Parts of what is to be compared, each small enough for one call. */
function* chunksOf(sessions: readonly SessionRef[]): Generator<readonly SessionRef[]> {
  for (let from = 0; from < sessions.length; from += COMPARE_MAX) yield sessions.slice(from, from + COMPARE_MAX);
}
