import {
  TIMES,
  type ConversationId,
  type EndReason,
  type ResumeToken,
  type SessionState,
  type SiteKey,
} from '@passerby/sdk/protocol';
import type { Clock } from '../../clock.ts';
import { Refusal } from '../../errors.ts';
import { isCompatible, sharedBetween } from '../../decision/compatible.ts';
import type { IdSource } from '../ids.ts';
import type {
  Address,
  CancelOutcome,
  FindOutcome,
  LeaveOutcome,
  NodeId,
  Notice,
  OpenOutcome,
  ResumeOutcome,
  Seat,
  SessionId,
  SessionRef,
  StateStore,
  Ticket,
  Transition,
} from '../state-store.ts';

interface Wait {
  ticket: Ticket;
  readonly since: number;
}

interface Conversation {
  readonly id: ConversationId;
  readonly site: SiteKey;
  readonly seats: readonly [first: Session, second: Session];
  readonly shared: Seat['shared'];
}

interface Session {
  readonly id: SessionId;
  readonly site: SiteKey;
  nodeId: NodeId;
  fence: number;
  resume: ResumeToken;
  /** When the connection went; `null` while it lives. */
  awaySince: number | null;
  wait: Wait | null;
  conversation: Conversation | null;
  /** The last conversation and who it was with: a block works after the end too. */
  last: { readonly id: ConversationId; readonly peerId: SessionId } | null;
  /** The ticket that led to the running conversation: asking again with its id is answered `matched`. */
  matchedBy: Ticket['requestId'] | null;
  readonly blocked: Set<SessionId>;
}

interface Site {
  /** Oldest first: a `Map` keeps insertion order. */
  readonly waiting: Map<SessionId, Session>;
  readonly conversations: Map<ConversationId, Conversation>;
  connected: number;
}

/**
 * Everything in this process's memory: the embedded default. Each transition runs to its end before the
 * next starts, so it is atomic by construction; nothing outlives the process.
 */
export class MemoryStore implements StateStore {
  readonly kind = 'memory';
  readonly #clock: Clock;
  readonly #ids: IdSource;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #byToken = new Map<ResumeToken, Session>();
  /** Oldest first: sessions go to the end when their connection goes. */
  readonly #away = new Map<SessionId, Session>();
  readonly #sites = new Map<SiteKey, Site>();

  constructor(clock: Clock, ids: IdSource) {
    this.#clock = clock;
    this.#ids = ids;
  }

  async open(siteKey: SiteKey, nodeId: NodeId, resume: ResumeToken): Promise<OpenOutcome> {
    const session: Session = {
      id: this.#ids.session(),
      site: siteKey,
      nodeId,
      fence: 1,
      resume,
      awaySince: null,
      wait: null,
      conversation: null,
      last: null,
      matchedBy: null,
      blocked: new Set(),
    };
    this.#sessions.set(session.id, session);
    this.#byToken.set(resume, session);
    this.#site(siteKey).connected += 1;
    return { session: refOf(session) };
  }

  async resume(siteKey: SiteKey, nodeId: NodeId, presented: ResumeToken, next: ResumeToken): Promise<ResumeOutcome> {
    const session = this.#byToken.get(presented);
    if (session?.site !== siteKey || this.#isGraceOver(session)) return { kind: 'unknown' };
    const previous = addressOf(session);
    const wasAway = session.awaySince !== null;
    this.#byToken.delete(presented);
    this.#byToken.set(next, session);
    this.#away.delete(session.id);
    session.resume = next;
    session.fence += 1;
    session.nodeId = nodeId;
    session.awaySince = null;
    if (wasAway) this.#site(siteKey).connected += 1;
    const notices = [...presenceNotices(session), ...(session.wait === null ? [] : this.#match(session))];
    return {
      kind: 'resumed',
      session: refOf(session),
      state: this.#stateOf(session),
      seat: session.conversation === null ? null : seatOf(session.conversation, session),
      previous,
      notices,
    };
  }

  async suspend(ref: SessionRef): Promise<Transition> {
    const session = this.#current(ref);
    if (session === null || session.awaySince !== null) return { notices: [] };
    session.awaySince = this.#clock();
    this.#away.set(session.id, session);
    this.#site(session.site).connected -= 1;
    return { notices: presenceNotices(session) };
  }

  async close(ref: SessionRef): Promise<Transition> {
    const session = this.#current(ref);
    return { notices: session === null ? [] : this.#forget(session, 'peer_left') };
  }

  async find(ref: SessionRef, ticket: Ticket): Promise<FindOutcome> {
    return this.#find(this.#require(ref), ticket);
  }

  async cancel(ref: SessionRef): Promise<CancelOutcome> {
    const session = this.#require(ref);
    if (session.conversation !== null) return { status: 'already_matched', notices: [] };
    this.#stopWaiting(session);
    return { status: 'cancelled', notices: [] };
  }

  async leave(ref: SessionRef, id: ConversationId, next: Ticket | null): Promise<LeaveOutcome> {
    const session = this.#require(ref);
    const conversation = session.conversation;
    const notices = conversation?.id === id ? this.#end(conversation, session, 'you_left') : [];
    if (next === null) return { next: null, notices };
    const found = this.#find(session, next);
    return { next: found.status, notices: [...notices, ...found.notices] };
  }

  async block(ref: SessionRef, id: ConversationId): Promise<Transition> {
    const session = this.#require(ref);
    const conversation = session.conversation;
    if (conversation?.id === id) {
      session.blocked.add(peerOf(conversation, session).id);
      return { notices: this.#end(conversation, session, 'you_left') };
    }
    if (session.last?.id !== id) throw new Refusal('not_in_conversation');
    session.blocked.add(session.last.peerId);
    return { notices: [] };
  }

  async end(siteKey: SiteKey, id: ConversationId, reason: EndReason): Promise<Transition> {
    const conversation = this.#sites.get(siteKey)?.conversations.get(id);
    return { notices: conversation === undefined ? [] : this.#end(conversation, null, reason) };
  }

  async sweep(max: number): Promise<Transition> {
    const notices: Notice[] = [];
    let left = max;
    for (const session of this.#away.values()) {
      if (left-- === 0 || !this.#isGraceOver(session)) break;
      notices.push(...this.#forget(session, 'peer_lost'));
    }
    return { notices };
  }

  async online(siteKey: SiteKey): Promise<number> {
    return this.#sites.get(siteKey)?.connected ?? 0;
  }

  /** How much is held, for the tests that show nothing is left behind. */
  sizes(): { sessions: number; tokens: number; away: number; sites: number } {
    return {
      sessions: this.#sessions.size,
      tokens: this.#byToken.size,
      away: this.#away.size,
      sites: this.#sites.size,
    };
  }

  #find(session: Session, ticket: Ticket): FindOutcome {
    if (session.conversation !== null) {
      if (session.matchedBy === ticket.requestId) return { status: 'matched', notices: [] };
      throw new Refusal('already_in_conversation');
    }
    if (session.wait === null) {
      session.wait = { ticket, since: this.#clock() };
      this.#site(session.site).waiting.set(session.id, session);
    } else {
      session.wait.ticket = ticket;
    }
    const notices = this.#match(session);
    return { status: notices.length > 0 ? 'matched' : 'waiting', notices };
  }

  /** Pairs a waiting session with the longest waiter that fits. Everything is checked before anything is removed. */
  #match(session: Session): Notice[] {
    const site = this.#site(session.site);
    for (const candidate of site.waiting.values()) {
      if (!canMeet(session, candidate)) continue;
      const [first, second] =
        candidate.wait!.since <= session.wait!.since ? [candidate, session] : [session, candidate];
      return this.#start(site, first, second);
    }
    return [];
  }

  #start(site: Site, first: Session, second: Session): Notice[] {
    const conversation: Conversation = {
      id: this.#ids.conversation(),
      site: first.site,
      seats: [first, second],
      shared: sharedBetween(first.wait!.ticket, second.wait!.ticket),
    };
    site.conversations.set(conversation.id, conversation);
    return conversation.seats.map((session) => {
      session.matchedBy = session.wait!.ticket.requestId;
      this.#stopWaiting(session);
      session.conversation = conversation;
      session.last = { id: conversation.id, peerId: peerOf(conversation, session).id };
      return { kind: 'started', to: addressOf(session), seat: seatOf(conversation, session) };
    });
  }

  /** Ends a conversation; `by` is the side that left, or `null` when the service ended it for both. */
  #end(
    conversation: Conversation,
    by: Session | null,
    reason: EndReason,
    peerReason: EndReason = 'peer_left',
  ): Notice[] {
    this.#sites.get(conversation.site)?.conversations.delete(conversation.id);
    return conversation.seats.map((session) => {
      session.conversation = null;
      session.matchedBy = null;
      return {
        kind: 'ended',
        to: addressOf(session),
        conversationId: conversation.id,
        reason: by === null || by === session ? reason : peerReason,
      };
    });
  }

  #forget(session: Session, peerReason: EndReason): Notice[] {
    const notices =
      session.conversation === null ? [] : this.#end(session.conversation, session, 'you_left', peerReason);
    this.#stopWaiting(session);
    this.#sessions.delete(session.id);
    this.#byToken.delete(session.resume);
    this.#away.delete(session.id);
    const site = this.#site(session.site);
    if (session.awaySince === null) site.connected -= 1;
    session.fence = Number.POSITIVE_INFINITY;
    if (site.connected === 0 && site.waiting.size === 0 && site.conversations.size === 0)
      this.#sites.delete(session.site);
    return notices;
  }

  #stopWaiting(session: Session): void {
    session.wait = null;
    this.#site(session.site).waiting.delete(session.id);
  }

  #stateOf(session: Session): SessionState {
    if (session.conversation !== null) {
      const { peer, ...conversation } = seatOf(session.conversation, session);
      const isAway = this.#sessions.get(peer.sessionId)?.awaySince !== null;
      return { status: 'chatting', conversation, peer: isAway ? 'away' : 'here' };
    }
    if (session.wait !== null) return { status: 'waiting', waitingForMs: this.#clock() - session.wait.since };
    return { status: 'idle' };
  }

  #isGraceOver(session: Session): boolean {
    return session.awaySince !== null && this.#clock() - session.awaySince >= TIMES.graceMs;
  }

  #site(key: SiteKey): Site {
    let site = this.#sites.get(key);
    if (site === undefined) {
      site = { waiting: new Map(), conversations: new Map(), connected: 0 };
      this.#sites.set(key, site);
    }
    return site;
  }

  #current(ref: SessionRef): Session | null {
    const session = this.#sessions.get(ref.sessionId);
    return session?.site === ref.site && session.fence === ref.fence ? session : null;
  }

  #require(ref: SessionRef): Session {
    const session = this.#current(ref);
    if (session === null) throw new Refusal('session_gone');
    return session;
  }
}

function canMeet(a: Session, b: Session): boolean {
  if (a === b || a.awaySince !== null || b.awaySince !== null) return false;
  if (a.blocked.has(b.id) || b.blocked.has(a.id)) return false;
  return isCompatible(a.wait!.ticket, b.wait!.ticket);
}

function peerOf(conversation: Conversation, session: Session): Session {
  const [first, second] = conversation.seats;
  return first === session ? second : first;
}

function seatOf(conversation: Conversation, session: Session): Seat {
  return {
    conversationId: conversation.id,
    role: conversation.seats[0] === session ? 'offerer' : 'answerer',
    shared: conversation.shared,
    peer: addressOf(peerOf(conversation, session)),
  };
}

function presenceNotices(session: Session): Notice[] {
  const conversation = session.conversation;
  if (conversation === null) return [];
  return [
    {
      kind: 'presence',
      to: addressOf(peerOf(conversation, session)),
      conversationId: conversation.id,
      presence: session.awaySince === null ? 'here' : 'away',
      peer: addressOf(session),
    },
  ];
}

function addressOf(session: Session): Address {
  return { site: session.site, sessionId: session.id, nodeId: session.nodeId };
}

function refOf(session: Session): SessionRef {
  return { site: session.site, sessionId: session.id, fence: session.fence };
}
