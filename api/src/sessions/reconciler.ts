import type { ConversationId } from '@passerby/sdk/protocol';
import type { NoticeDispatcher } from './notice-dispatcher.ts';
import type { LocalSession, LocalSessions } from './local-sessions.ts';
import { Refusal } from '../errors.ts';
import { attemptEach } from '../state/attempt-each.ts';
import type { RepairPace } from '../state/repair-pace.ts';
import type { SiteTurns } from '../state/site-turns.ts';
import type { NodeId, SessionId, SiteId } from '../domain/ids.ts';
import type { Correction, LocalView } from '../domain/notice.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Sessions } from './sessions.ts';

/** Sessions compared in one call, so that no call keeps a store busy for long. */
const COMPARE_MAX = 250;
/** Sessions compared in one round; more than that take several rounds, in turn. */
const ROUND_MAX = 2_000;

/** Corrections for which a record must be missing. All others are notices that were lost, or are on their way. */
const SIGNS_OF_LOSS: ReadonlySet<Correction['kind']> = new Set(['idle', 'gone', 'forgotten']);

/**
 * Compares the records of this node's visitors with the store, round after round, and tells the visitors what they
 * missed: a notice is lost with an answer that never came, a connection that was cut, or a node that died between
 * deciding and telling.
 */
export class Reconciler {
  readonly #store: StateStore;
  readonly #local: LocalSessions;
  readonly #sessions: Sessions;
  readonly #dispatcher: NoticeDispatcher;
  readonly #nodeId: NodeId;
  readonly #turns: SiteTurns;
  readonly #pace: Pick<RepairPace, 'noteSign'>;
  /** Index of the session with which the next round begins. */
  #nextIndex = 0;
  /** Last session of each site that was looked at among those that the store has on this node. */
  readonly #listedTo = new Map<SiteId, SessionId>();

  constructor(parts: {
    readonly store: StateStore;
    readonly local: LocalSessions;
    readonly sessions: Sessions;
    readonly dispatcher: NoticeDispatcher;
    readonly nodeId: NodeId;
    readonly turns: SiteTurns;
    /** Told of sites with missing records. */
    readonly pace: Pick<RepairPace, 'noteSign'>;
  }) {
    this.#store = parts.store;
    this.#local = parts.local;
    this.#sessions = parts.sessions;
    this.#dispatcher = parts.dispatcher;
    this.#nodeId = parts.nodeId;
    this.#turns = parts.turns;
    this.#pace = parts.pace;
  }

  async round(sites: readonly SiteId[]): Promise<void> {
    const bySite = this.#nextBySite();
    await this.#turns.each('compare', bySite.keys(), (site) =>
      attemptEach(chunksOf(bySite.get(site)!), (sessions) => this.#compare(site, sessions)),
    );
    await this.#turns.each('strays', sites, (site) => this.#suspendStrays(site));
  }

  /** Returns the sessions of this round, by site. */
  #nextBySite(): Map<SiteId, LocalSession[]> {
    const all = [...this.#local.all()];
    const start = this.#nextIndex < all.length ? this.#nextIndex : 0;
    this.#nextIndex = start + ROUND_MAX;
    const bySite = new Map<SiteId, LocalSession[]>();
    for (const session of all.slice(start, start + ROUND_MAX)) {
      const { site } = session.ref;
      const ofSite = bySite.get(site);
      if (ofSite === undefined) bySite.set(site, [session]);
      else ofSite.push(session);
    }
    return bySite;
  }

  /**
   * Returns whether the visitor has been told where they sit, looking it up if not, so that an answer that promises a
   * start follows it.
   */
  async isSeated(session: LocalSession, except?: ConversationId): Promise<boolean> {
    const isTold = () => ![undefined, except].includes(session.seat?.conversationId);
    if (!isTold()) await this.#compare(session.ref.site, [session]);
    return isTold();
  }

  async #compare(site: SiteId, sessions: readonly LocalSession[]): Promise<void> {
    const compared = new Map(sessions.map((session) => [session.ref.sessionId, { session, view: viewOf(session) }]));
    const views = [...compared.values()].map(({ view }) => view);
    const corrections = await this.#store.compare(site, views);
    await attemptEach(corrections, async (correction) => {
      const { session, view } = compared.get(correction.sessionId)!;
      // Otherwise something was told meanwhile, on the ordinary way: the next round sees whether that was all.
      if (!this.#local.has(session) || session.isClosing || !isUnchanged(view, session)) return;
      if (SIGNS_OF_LOSS.has(correction.kind)) this.#pace.noteSign(site);
      await this.#apply(session, correction);
    });
  }

  async #apply(session: LocalSession, correction: Correction): Promise<void> {
    switch (correction.kind) {
      case 'seated':
        return this.#dispatcher.correctSeat(session, correction);
      case 'unseated':
        return this.#dispatcher.correctNoSeat(session, correction.reason, correction.revision);
      case 'elsewhere':
        return this.#sessions.supersede(session);
      case 'outlived':
        return this.#dispatcher.leaveOutlived(session, correction.conversationId);
      case 'unasked':
        if (session.wait !== null) return;
        return this.#dispatcher.dispatch((await this.#store.cancel(session.ref)).notices);
      case 'idle':
      case 'away':
        // The client resumes with its token, and is told where it stands.
        return this.#sessions.disconnect(session);
      case 'gone':
        return this.#turnAway(session, correction);
      case 'forgotten':
        this.#turnAway(session, correction);
        return this.#dispatcher.dispatch((await this.#store.close(correction.known)).notices);
    }
  }

  /** Tells a visitor without a session in the store what is over, and closes the connection, so that they begin anew. */
  #turnAway(session: LocalSession, { revision }: Correction): void {
    this.#dispatcher.correctNoSeat(session, 'service_reset', revision);
    session.connection.push('session:refused', new Refusal('session_gone').toWire());
    this.#sessions.disconnect(session);
  }

  /** Suspends sessions that the store has on this node and that have no connection here: their end was lost, or their beginning. */
  async #suspendStrays(site: SiteId): Promise<void> {
    const placed = await this.#store.placed(site, this.#nodeId, this.#listedTo.get(site) ?? null, ROUND_MAX);
    if (placed.length < ROUND_MAX) this.#listedTo.delete(site);
    else this.#listedTo.set(site, placed.at(-1)!.sessionId);
    // A session that was opened before the list was made has a connection by the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    await attemptEach(placed, async (ref) => {
      if (!this.#sessions.isExpected(ref.sessionId)) await this.#sessions.suspend(ref);
    });
  }
}

/** Returns the view of a session that the store compares with its records. */
function viewOf({ ref, seating, wait, toldRevision }: LocalSession): LocalView {
  return {
    session: ref,
    seat: seating?.seat ?? null,
    isPeerAway: seating?.isPeerAway ?? false,
    isWaiting: seating === null && wait !== null,
    toldAt: toldRevision,
  };
}

/** Returns whether a correction of this view still fits the session. */
function isUnchanged({ seat, isWaiting, toldAt }: LocalView, session: LocalSession): boolean {
  return session.toldRevision === toldAt && session.seat === seat && (!isWaiting || session.wait !== null);
}

/** Parts of what is to be compared, each small enough for one call. */
function* chunksOf(sessions: readonly LocalSession[]): Generator<readonly LocalSession[]> {
  for (let from = 0; from < sessions.length; from += COMPARE_MAX) yield sessions.slice(from, from + COMPARE_MAX);
}
