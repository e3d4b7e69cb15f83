import { TIMES, type Agreed, type ConversationId, type RequestId, type ResumeToken } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../../clock.ts';
import { Refusal } from '../../errors.ts';
import type { IdSource } from '../../domain/id-source.ts';
import type { NodeId, SessionId, SiteId } from '../../domain/ids.ts';
import type { Notice } from '../../domain/notice.ts';
import type { Seat, SessionLocation, SessionRef } from '../../domain/session.ts';
import type { VisitorFingerprint } from '../../domain/visitor-fingerprint.ts';
import { PairMemory } from './pair-memory.ts';
import { Parties } from './parties.ts';
import { WaitingQueue, type WaitingVisitor } from './waiting-queue.ts';

export interface Wait extends WaitingVisitor {
  /** Due time of the next step, clock milliseconds; `null` when all are reached. */
  dueAt: number | null;
}

/** Match that is not confirmed by both yet. */
export interface PendingMatch {
  /** Waits of the two, to give back if the match falls through. */
  readonly waits: readonly [Wait, Wait];
  readonly confirmed: Set<Session>;
  readonly lapsesAt: number;
}

export interface Conversation {
  readonly id: ConversationId;
  readonly seats: readonly [first: Session, second: Session];
  /** The match as long as it is not confirmed by both; `null` afterwards. */
  pending: PendingMatch | null;
  readonly shared: Seat['shared'];
}

export interface Session {
  readonly id: SessionId;
  readonly site: Site;
  nodeId: NodeId;
  fence: number;
  fingerprint: VisitorFingerprint;
  agreed: Agreed;
  token: ResumeToken;
  /** The token presented for it, while nobody knows whether it has arrived. */
  formerToken: ResumeToken | null;
  /** Time of the disconnect, clock milliseconds; `null` while connected. */
  awaySince: number | null;
  wait: Wait | null;
  conversation: Conversation | null;
  /** The last conversation and its peer: a block works after the end too. */
  last: { readonly id: ConversationId; readonly peerId: SessionId } | null;
  /** The ticket that led to the running conversation: asking again with its id is answered `matched`. */
  matchedBy: RequestId | null;
}

export interface Site {
  readonly id: SiteId;
  readonly now: MonotonicClock;
  readonly ids: IdSource;
  readonly queue: WaitingQueue;
  /** Sessions that have a wait, those that are away included. */
  readonly waiting: Map<SessionId, Session>;
  /** Oldest first. */
  readonly conversations: Map<ConversationId, Conversation>;
  readonly sessions: Map<SessionId, Session>;
  /** Oldest first: sessions go to the end when their connection goes. */
  readonly away: Map<SessionId, Session>;
  readonly blocks: PairMemory;
  readonly meetings: PairMemory;
  readonly parties: Parties;
  /** Lengths of the last waits that ended in a match, milliseconds. */
  readonly recentWaits: number[];
  /** Number of the last place given in the queue. */
  seq: number;
}

/** Sites with their sessions, and the resume tokens that lead to a session. */
export class Records {
  readonly tokens = new Map<ResumeToken, Session>();
  readonly #clock: MonotonicClock;
  readonly #ids: IdSource;
  readonly #sites = new Map<SiteId, Site>();

  constructor(clock: MonotonicClock, ids: IdSource) {
    this.#clock = clock;
    this.#ids = ids;
  }

  site(id: SiteId): Site | undefined {
    return this.#sites.get(id);
  }

  /** Adds a session, and its site if this is the first one there. */
  add(siteId: SiteId, nodeId: NodeId, token: ResumeToken, fingerprint: VisitorFingerprint): Session {
    const site = this.#sites.get(siteId) ?? this.#addSite(siteId);
    const session: Session = {
      id: this.#ids.session(),
      site,
      nodeId,
      fence: 1,
      fingerprint,
      agreed: { rules: null, ageBand: null },
      token,
      formerToken: null,
      awaySince: null,
      wait: null,
      conversation: null,
      last: null,
      matchedBy: null,
    };
    site.sessions.set(session.id, session);
    this.tokens.set(token, session);
    return session;
  }

  /** Removes a session with its tokens, and its site if this was the last one there. */
  remove(session: Session): void {
    const { site } = session;
    site.sessions.delete(session.id);
    site.away.delete(session.id);
    this.revoke(session.token);
    this.revoke(session.formerToken);
    if (site.sessions.size === 0) this.#sites.delete(site.id);
  }

  revoke(token: ResumeToken | null): void {
    if (token !== null) this.tokens.delete(token);
  }

  /** Returns the session if the caller's fence is the current one, else `null`. */
  current(ref: SessionRef): Session | null {
    const session = this.#sites.get(ref.site)?.sessions.get(ref.sessionId);
    return session?.fence === ref.fence ? session : null;
  }

  /** Returns the current session; throws `session_gone` if there is none. */
  require(ref: SessionRef): Session {
    const session = this.current(ref);
    if (session === null) throw new Refusal('session_gone');
    return session;
  }

  /** Counts of all records, for the tests that show nothing is left behind. */
  sizes() {
    const sizes = {
      sessions: 0,
      tokens: this.tokens.size,
      away: 0,
      sites: this.#sites.size,
      waiting: 0,
      inQueue: 0,
      conversations: 0,
    };
    for (const site of this.#sites.values()) {
      sizes.sessions += site.sessions.size;
      sizes.away += site.away.size;
      sizes.waiting += site.waiting.size;
      sizes.inQueue += site.queue.size;
      sizes.conversations += site.conversations.size;
    }
    return sizes;
  }

  #addSite(id: SiteId): Site {
    const site: Site = {
      id,
      now: this.#clock,
      ids: this.#ids,
      queue: new WaitingQueue(),
      waiting: new Map(),
      conversations: new Map(),
      sessions: new Map(),
      away: new Map(),
      blocks: new PairMemory(),
      meetings: new PairMemory(),
      parties: new Parties(),
      recentWaits: [],
      seq: 0,
    };
    this.#sites.set(id, site);
    return site;
  }
}

export function isGraceOver({ awaySince, site }: Session): boolean {
  return awaySince !== null && site.now() - awaySince >= TIMES.graceMs;
}

export function peerOf(conversation: Conversation, session: Session): Session {
  const [first, second] = conversation.seats;
  return first === session ? second : first;
}

/** Tells the peer, if there is one, that the session is here or away. */
export function presenceNotices(session: Session): Notice[] {
  const { conversation } = session;
  if (conversation === null) return [];
  return [
    {
      kind: 'presence',
      revision: 0,
      to: locationOf(peerOf(conversation, session)),
      conversationId: conversation.id,
      presence: session.awaySince === null ? 'here' : 'away',
      peer: locationOf(session),
    },
  ];
}

export function locationOf(session: Session): SessionLocation {
  return { site: session.site.id, sessionId: session.id, nodeId: session.nodeId };
}

export function refOf(session: Session): SessionRef {
  return { site: session.site.id, sessionId: session.id, fence: session.fence };
}
