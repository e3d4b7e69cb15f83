import type {
  ConversationId,
  EndReason,
  FindPayload,
  FindReply,
  PeerPresence,
  ResumeToken,
  SessionState,
  Shared,
  SiteKey,
} from '@passerby/sdk/protocol';

declare const brand: unique symbol;

/** A visitor's session, known to the service only: it never travels. */
export type SessionId = string & { readonly [brand]: 'SessionId' };

/** One process of the service. */
export type NodeId = string & { readonly [brand]: 'NodeId' };

/**
 * Who asks. Every resume raises the fence; a request that carries an older one comes from a socket that
 * was taken over, and is refused with `session_gone`.
 */
export interface SessionRef {
  readonly site: SiteKey;
  readonly sessionId: SessionId;
  readonly fence: number;
}

/** Where a session's socket is, so that a notice finds it. */
export interface Address {
  readonly site: SiteKey;
  readonly sessionId: SessionId;
  readonly nodeId: NodeId;
}

/** One wait in a queue, criteria already trimmed, lower-cased and without repeats. */
export type Ticket = FindPayload;

/** A conversation as one side sees it. `peer` is for the relay only. */
export interface Seat {
  readonly conversationId: ConversationId;
  readonly role: 'offerer' | 'answerer';
  readonly shared: Shared;
  readonly peer: Address;
}

/**
 * What a transition means for one visitor: to be told on whichever node their socket is. The store
 * returns each notice exactly once, in the order in which they must be told.
 */
export type Notice =
  | { readonly kind: 'started'; readonly to: Address; readonly seat: Seat }
  | {
      readonly kind: 'ended';
      readonly to: Address;
      readonly conversationId: ConversationId;
      readonly reason: EndReason;
    }
  | {
      readonly kind: 'presence';
      readonly to: Address;
      readonly conversationId: ConversationId;
      readonly presence: PeerPresence;
      /** Where the peer's socket is from now on. */
      readonly peer: Address;
    };

/** Result of a transition that has nothing to answer but what others must be told. */
export interface Transition {
  readonly notices: readonly Notice[];
}

export interface OpenOutcome {
  readonly session: SessionRef;
}

export type ResumeOutcome =
  /** The token was good: the session lives on here; the socket that held it before (maybe on another node) must go. */
  | {
      readonly kind: 'resumed';
      readonly session: SessionRef;
      readonly state: SessionState;
      readonly seat: Seat | null;
      readonly previous: Address;
      readonly notices: readonly Notice[];
    }
  /** The token was never made, was used before, or its session is over. All the same to the caller. */
  | { readonly kind: 'unknown' };

export interface FindOutcome extends Transition {
  readonly status: FindReply['status'];
}

export interface CancelOutcome extends Transition {
  readonly status: 'cancelled' | 'already_matched';
}

export interface LeaveOutcome extends Transition {
  readonly next: FindReply['status'] | null;
}

/**
 * All shared state, changed by atomic transitions. Every method refuses with `session_gone` for a
 * session that is unknown or whose fence is old, and with `unavailable` when the outcome is unknown;
 * every method may then be called again with the same arguments.
 */
export interface StateStore {
  readonly kind: 'memory' | 'redis';

  /** A new session of this site, held by this node. */
  open(site: SiteKey, nodeId: NodeId, resume: ResumeToken): Promise<OpenOutcome>;
  /** Hands the session of a one-time token to this node, under a new token. Of two calls with one token exactly one succeeds. */
  resume(site: SiteKey, nodeId: NodeId, presented: ResumeToken, next: ResumeToken): Promise<ResumeOutcome>;
  /** The session's connection is gone: it keeps its place and conversation for the grace period, and is matched with nobody. Does nothing for an old fence. */
  suspend(session: SessionRef): Promise<Transition>;
  /** Forgets the session and ends what it was in. Does nothing for an old fence. */
  close(session: SessionRef): Promise<Transition>;

  /** Waits, or is matched at once. The same `requestId` again is the same wait; another one keeps the place. Refuses `already_in_conversation`. */
  find(session: SessionRef, ticket: Ticket): Promise<FindOutcome>;
  cancel(session: SessionRef): Promise<CancelOutcome>;
  /** Ends the conversation if it still runs, and with `next` waits again in the same step. */
  leave(session: SessionRef, conversationId: ConversationId, next: Ticket | null): Promise<LeaveOutcome>;
  /** Never again, in either direction. Refuses `not_in_conversation` unless this is the session's present or last conversation. */
  block(session: SessionRef, conversationId: ConversationId): Promise<Transition>;
  /** Ends a conversation for both sides, for a reason of the service's. Does nothing if it is over. */
  end(site: SiteKey, conversationId: ConversationId, reason: EndReason): Promise<Transition>;

  /** Closes at most `max` sessions whose grace is over. Idempotent; any node may call it at any time. */
  sweep(max: number): Promise<Transition>;
  /** Connected sessions of a site. */
  online(site: SiteKey): Promise<number>;
}
