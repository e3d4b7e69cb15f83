import type { WireError } from './errors.ts';
import type { Frame } from './frame.ts';
import type { ConversationId, ResumeToken } from './ids.ts';
import type { Policy } from './policy.ts';

/** Why a conversation ended. Left, skipped and blocked look alike to the other side on purpose. */
export const END_REASONS = [
  /** The other visitor left, skipped or blocked. */
  'peer_left',
  /** The other visitor's connection was gone for longer than the grace period. */
  'peer_lost',
  /** Neither side said anything for the site's inactivity time. */
  'idle',
  /** This visitor left. */
  'you_left',
  /** The service's operators ended it. */
  'moderated',
  /** The match fell through before it began, since the other side never answered: this visitor is back in the queue with their place. */
  'unconfirmed',
  /** The service lost its state; both sides can start anew. */
  'service_reset',
] as const;
export type EndReason = (typeof END_REASONS)[number];

/** `here` while the peer has a connection. */
export type PeerPresence = 'here' | 'away';

/** Criteria that two matched visitors have in common: the intersection only, never what just one of them said. */
export interface Shared {
  readonly interests: readonly string[];
  /** True if both stand on the same topic (page). */
  readonly isSameTopic: boolean;
}

/** A running conversation as the service knows it. */
export interface ConversationInfo {
  readonly conversationId: ConversationId;
  /** `offerer` opens a peer-to-peer path if both agree to one; a tie-breaker, no privilege. */
  readonly role: 'offerer' | 'answerer';
  readonly shared: Shared;
}

/** Consent of a visitor: the version of the rules, and the age band; `null` where nothing was said. */
export interface Agreed {
  readonly rules: string | null;
  readonly ageBand: string | null;
}

/** Where a session stands, as told by `session:ready`. */
export type SessionState =
  | { readonly status: 'idle' }
  | { readonly status: 'waiting'; readonly waitingForMs: number }
  | {
      readonly status: 'chatting';
      readonly conversation: ConversationInfo;
      readonly peer: PeerPresence;
    };

/** Criterion that could be less narrow, and how many more could then be met: only ever about people from five networks or more. */
export interface Widening {
  /** `languages`: they wait, but share none of this visitor's. `groups`: they wait, but are not who this visitor seeks, or seek others. */
  readonly what: 'languages' | 'groups';
  /** At least this many: 5, since a second figure would be one more edge at which a single visitor could be watched. */
  readonly atLeast: number;
}

/** Why a visitor still waits. Says nothing of any single other visitor. */
export interface WaitStatus {
  /** Milliseconds since the wait began. */
  readonly waitingForMs: number;
  /** Distance within which a match is searched now: their page, their part of the site, the whole site. */
  readonly reach: 'topic' | 'section' | 'site';
  /** About how much longer, by the site's recent waits, rounded up to 5, 10, 20, … seconds of waiting; absent before there were enough of them, or once this one is longer. Milliseconds. */
  readonly etaMs?: number;
  /** Criteria to widen; empty if nothing would help. */
  readonly widen: readonly Widening[];
}

/** About how many visitors are connected. `max` is `null` in the open-ended top bucket. */
export interface OnlineBucket {
  readonly min: number;
  readonly max: number | null;
}

/** Pushes: service → visitor, facts. */
export interface Pushes {
  /**
   * First thing on every connection that is let in, and nothing comes before it. The whole truth: what the client
   * believed and this does not say is over. `recovered` is true only if the session the client asked
   * to resume is this one; it comes with a Socket.IO acknowledgement then, which says that `resume` is
   * kept. Until that ack the token presented stays good, so that a connection cut right here costs nothing.
   */
  'session:ready': {
    /** Token for the next resume; once this push is acknowledged the one presented is void. */
    readonly resume: ResumeToken;
    readonly recovered: boolean;
    readonly policy: Policy;
    /** Consent of this session, and the age band it is bound to. */
    readonly agreed: Agreed;
    /** The service's clock, Unix milliseconds. */
    readonly now: number;
    readonly state: SessionState;
  };
  /** Another connection resumed this session; this socket is closed right after. */
  'session:superseded': Record<string, never>;
  /** The service does not accept this session, or no longer: the reason. The socket is closed right after. */
  'session:refused': WireError;
  /** This node is going away: reconnect after a random part of `reconnectAfterMs`. Milliseconds. */
  'session:draining': { readonly reconnectAfterMs: number };
  /** Status of a wait, every few seconds while it lasts. Not sent to who was matched at once. */
  'match:status': WaitStatus;
  /**
   * Two visitors were paired. Both sides get it by the same path. Its Socket.IO acknowledgement is the
   * side's confirmation.
   */
  'conversation:started': ConversationInfo & { readonly policy: Policy };
  /** Frame of the peer. Only ever from the current peer of the running conversation. */
  'conversation:frame': Frame;
  /**
   * Frames of this visitor came faster than they are passed on and were dropped: send what is not
   * acknowledged again after `retryAfterMs`. Milliseconds. Not sent again before that time is over.
   */
  'conversation:throttled': { readonly conversationId: ConversationId; readonly retryAfterMs: number };
  /** The peer's connection went or came back. Not sent at the start: both are here then. */
  'conversation:peer': { readonly conversationId: ConversationId; readonly presence: PeerPresence };
  /** Exactly once a side; nothing of that conversation follows it. */
  'conversation:ended': { readonly conversationId: ConversationId; readonly reason: EndReason };
  /** About how many are on the site, at the start and when the bucket changes. */
  'site:presence': { readonly online: OnlineBucket };
}

export type PushName = keyof Pushes;
export type PushPayload<Name extends PushName> = Pushes[Name];

/** The registry: every push there is. Proved complete by its type. */
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
