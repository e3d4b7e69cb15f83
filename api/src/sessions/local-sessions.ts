import type { PushName, PushPayload } from '@passerby/sdk/protocol';
import type { SessionId, SiteId } from '../domain/ids.ts';
import type { Seat, SessionRef } from '../domain/session.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { RetainedState, RetainedStates } from './retained-states.ts';

/** Connection of one visitor to this node: the only way in which anything reaches them alone. */
export interface VisitorConnection {
  /** False once the connection is closed. */
  readonly isOpen: boolean;
  /**
   * Ties the connection to its session and sends `session:ready`, before anything else. `confirmed` is called once the
   * client of a resumed session acknowledges its new token.
   */
  welcome(session: LocalSession, ready: PushPayload<'session:ready'>, confirmed: () => void): void;
  /** Sends a push. One that may be lost is dropped while the visitor reads too slowly. */
  push<Name extends PushName>(name: Name, payload: PushPayload<Name>): void;
  /** Sends the start of a conversation; `confirmed` is called once the client acknowledges it. */
  pushStarted(payload: PushPayload<'conversation:started'>, confirmed: () => void): void;
  /** Closes the connection after everything pushed so far, and unties it from its session. */
  close(): void;
}

/** Conversation a visitor sits in, with what the relay knows of it. */
export interface Seating {
  readonly seat: Seat;
  /** Time without a message after which the conversation ends. Milliseconds. */
  readonly inactivityMs: number;
  readonly isPeerAway: boolean;
  /** True once a numbered frame of the peer was delivered to this visitor. */
  isPeerHeard: boolean;
  /** Time of the last numbered frame of either visitor, by the monotonic clock. */
  lastMessageAt: number;
}

/** Wait of a visitor for a match. Times by the monotonic clock. */
export interface Wait {
  readonly since: number;
  /** Time of the next `match:status`. */
  dueAt: number;
}

/**
 * Everything a node knows of one visitor who is connected to it, from `session:ready` until the connection ends or
 * another one takes the session over. What has to outlive the connection is in `RetainedState`.
 */
export class LocalSession {
  readonly ref: SessionRef;
  readonly visitor: Visitor;
  readonly connection: VisitorConnection;
  readonly retained: RetainedState;
  /** `null` while the visitor is in no conversation. The relay sets it. */
  seating: Seating | null = null;
  /** `null` while the visitor does not wait. `WaitStatusNotifier` sets it. */
  wait: Wait | null = null;
  /** Revision of the latest notice that the visitor was told, or that an answer covered; 0 for none. */
  toldRevision = 0;
  /** True while the visitor's `session:close` is carried out. */
  isClosing = false;

  constructor(ref: SessionRef, visitor: Visitor, connection: VisitorConnection, retained: RetainedState) {
    this.ref = ref;
    this.visitor = visitor;
    this.connection = connection;
    this.retained = retained;
  }

  get seat(): Seat | null {
    return this.seating?.seat ?? null;
  }

  /** Notes that an answer told the visitor the state as of a revision: older notices are no news. */
  noteTold(revision: number): void {
    this.toldRevision = Math.max(revision, this.toldRevision);
  }
}

/** Counts of a node's sessions. */
export interface SessionCounts {
  readonly sessions: number;
  readonly seated: number;
  readonly waiting: number;
}

/** Registry of the visitors connected to this node, at most one connection for each session. */
export class LocalSessions {
  readonly #retained: RetainedStates;
  readonly #byId = new Map<SessionId, LocalSession>();
  /** Number of sessions of each site. */
  readonly #countBySite = new Map<SiteId, number>();

  constructor(retained: RetainedStates) {
    this.#retained = retained;
  }

  /** Adds the record of a connection whose session has no other connection here. */
  add(ref: SessionRef, visitor: Visitor, connection: VisitorConnection): LocalSession {
    const session = new LocalSession(ref, visitor, connection, this.#retained.take(ref.sessionId));
    this.#byId.set(ref.sessionId, session);
    this.#countBySite.set(ref.site, (this.#countBySite.get(ref.site) ?? 0) + 1);
    return session;
  }

  /** Removes a record. Returns `false` if it is not the one of its session any more. */
  remove(session: LocalSession): boolean {
    if (!this.has(session)) return false;
    const { sessionId, site } = session.ref;
    this.#byId.delete(sessionId);
    const count = this.#countBySite.get(site)! - 1;
    if (count === 0) this.#countBySite.delete(site);
    else this.#countBySite.set(site, count);
    this.#retained.keep(sessionId, session.retained);
    return true;
  }

  find(sessionId: SessionId): LocalSession | undefined {
    return this.#byId.get(sessionId);
  }

  /** Returns whether this record is still the one of its session: its connection is open, and no other took over. */
  has(session: LocalSession): boolean {
    return this.#byId.get(session.ref.sessionId) === session;
  }

  /** Drops what is retained of sessions without need. */
  sweep(): void {
    this.#retained.sweep();
  }

  /** Returns whether anybody of a site is connected to this node. */
  hasVisitors(site: SiteId): boolean {
    return this.#countBySite.has(site);
  }

  /** Iterates over all records, in the order of arrival. */
  all(): IterableIterator<LocalSession> {
    return this.#byId.values();
  }

  counts(): SessionCounts {
    let [seated, waiting] = [0, 0];
    for (const { seating, wait } of this.#byId.values()) {
      if (seating !== null) seated += 1;
      if (wait !== null) waiting += 1;
    }
    return { sessions: this.#byId.size, seated, waiting };
  }
}
