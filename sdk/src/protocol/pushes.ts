import type { WireError } from './errors.ts';
import type { Frame } from './frame.ts';
import type { ConversationId, ResumeToken } from './ids.ts';
import type { Policy } from './policy.ts';

/** Reasons for the end of a conversation. Leave, skip and block look alike to the peer on purpose. */
export const END_REASONS = [
  /** The other visitor left, skipped or blocked. */
  'peer_left',
  /** The other visitor's connection was gone for longer than the grace period. */
  'peer_lost',
  /** Neither side said anything for the site's inactivity time. */
  'idle',
  /** This visitor left. */
  'you_left',
  /** The service's operators ended it. Reserved: no version of the service sends it yet. */
  'moderated',
  /**
   * The match fell through before it began, since the peer never confirmed it: this visitor is back in the queue, in
   * their former place.
   */
  'unconfirmed',
  /** The service lost its state; both visitors can start again. */
  'service_reset',
] as const;
export type EndReason = (typeof END_REASONS)[number];

/** Presence of the peer: `here` while they have a connection. */
export type PeerPresence = 'here' | 'away';

/** Criteria that two matched visitors have in common: the intersection only, never what only one of them named. */
export interface Shared {
  readonly interests: readonly string[];
  /** True if both named the same topic (page). */
  readonly isSameTopic: boolean;
}

/** Running conversation. */
export interface ConversationInfo {
  readonly conversationId: ConversationId;
  /** Role in opening a peer-to-peer path, if both agree to one: the `offerer` opens it. A tie-breaker, no privilege. */
  readonly role: 'offerer' | 'answerer';
  readonly shared: Shared;
}

/** Consent of a visitor: the version of the rules, and the age band; `null` where none was given. */
export interface Agreed {
  readonly rules: string | null;
  readonly ageBand: string | null;
}

/** State of a session, as sent with `session:ready`. */
export type SessionState =
  | { readonly status: 'idle' }
  | { readonly status: 'waiting'; readonly waitingForMs: number }
  | {
      readonly status: 'chatting';
      readonly conversation: ConversationInfo;
      readonly peer: PeerPresence;
    };

/**
 * Criterion that could be widened, and the number of further visitors it would admit: given only for visitors from five
 * networks or more.
 */
export interface Widening {
  /**
   * `languages`: they share none of this visitor's languages. `groups`: they are not in the groups this visitor seeks,
   * or seek others.
   */
  readonly what: 'languages' | 'groups';
  /**
   * Lower bound of their number: always 5, since a second value would be one more threshold at which a single visitor
   * could be observed.
   */
  readonly atLeast: number;
}

/** Status of a wait. Reveals nothing about any single other visitor. */
export interface WaitStatus {
  /** Duration of the wait so far. Milliseconds. */
  readonly waitingForMs: number;
  /** Reach within which a match is searched now: the visitor's page, their part of the site, the whole site. */
  readonly reach: 'topic' | 'section' | 'site';
  /**
   * Estimated remaining wait, by the site's recent waits, rounded up to 5, 10, 20, … seconds of waiting; absent before
   * there were enough of them, or once this one is longer. Milliseconds.
   */
  readonly etaMs?: number;
  /** Criteria to widen; empty if nothing would help. */
  readonly widen: readonly Widening[];
}

/** Approximate number of connected visitors. `max` is `null` in the open-ended top bucket. */
export interface OnlineBucket {
  readonly min: number;
  readonly max: number | null;
}

/** Payloads of the pushes: facts, from the service to a visitor. */
export interface Pushes {
  /**
   * First push on every admitted connection. It has the complete state: what the client assumed and this does not
   * contain is over. `recovered` is true only if this is the session that the client asked to resume; the push then
   * asks for a Socket.IO acknowledgement that `resume` is stored. Until that ack the presented token stays valid, so
   * that a connection lost at this point loses nothing.
   */
  'session:ready': {
    /** Token for the next resume; once this push is acknowledged, the presented one is void. */
    readonly resume: ResumeToken;
    readonly recovered: boolean;
    readonly policy: Policy;
    /** Consent of this session, and the age band it is bound to. */
    readonly agreed: Agreed;
    /** Time of the service's clock, Unix milliseconds. */
    readonly now: number;
    readonly state: SessionState;
  };
  /** Another connection resumed this session; this socket is closed right after. */
  'session:superseded': Record<string, never>;
  /** The service does not accept this session, or no longer does, for this reason. The socket is closed right after. */
  'session:refused': WireError;
  /** This node is shutting down: reconnect after a random part of `reconnectAfterMs`. Milliseconds. */
  'session:draining': { readonly reconnectAfterMs: number };
  /** Status of a wait, every few seconds while it lasts. Not sent to a visitor who is matched at once. */
  'match:status': WaitStatus;
  /**
   * Two visitors were matched. Both get it by the same path. Its Socket.IO acknowledgement is the visitor's
   * confirmation.
   */
  'conversation:started': ConversationInfo & { readonly policy: Policy };
  /** Frame of the peer. Only ever from the current peer of the running conversation. */
  'conversation:frame': Frame;
  /**
   * Frames of this visitor exceeded the rate limit and were dropped: resend what is not acknowledged after
   * `retryAfterMs`. Milliseconds. This push is not repeated before that time is over.
   */
  'conversation:throttled': { readonly conversationId: ConversationId; readonly retryAfterMs: number };
  /** The peer's connection was lost or came back. Not sent at the start, when both are connected. */
  'conversation:peer': { readonly conversationId: ConversationId; readonly presence: PeerPresence };
  /** End of a conversation, sent exactly once to each visitor; nothing of that conversation follows it. */
  'conversation:ended': { readonly conversationId: ConversationId; readonly reason: EndReason };
  /** Approximate number of visitors on the site, sent at the start and when the bucket changes. */
  'site:presence': { readonly online: OnlineBucket };
}

export type PushName = keyof Pushes;
export type PushPayload<Name extends PushName> = Pushes[Name];

/** Registry of all pushes. Proved complete by its type. */
export const PUSH_NAMES = [
  'session:ready',
  'session:superseded',
  'session:refused',
  'session:draining',
  'match:status',
  'conversation:started',
  'conversation:frame',
  'conversation:throttled',
  'conversation:peer',
  'conversation:ended',
  'site:presence',
] as const satisfies readonly PushName[];
