import type { ConversationId, RequestId } from './ids.ts';

/** What a visitor looks for. Everything is optional: an empty object means "anyone here". */
export interface Criteria {
  /** What the visitor likes; lower-cased and trimmed by the service. At most `LIMITS.interestsMax`. */
  readonly interests?: readonly string[];
  /** Languages the visitor can talk in, as BCP 47 tags, best first. At most `LIMITS.languagesMax`. */
  readonly languages?: readonly string[];
  /** The page or subject the visitor stands on. Visitors of the same topic meet first. */
  readonly topic?: string;
  /** The group the visitor says they belong to, for sites that pair groups. Needs `seeks` on the other side to matter. */
  readonly is?: string;
  /** The groups the visitor wants to meet. Holds both ways and is never relaxed. */
  readonly seeks?: readonly string[];
}

/** Payload of `match:find`, and of `next` in `conversation:leave`. */
export interface FindPayload extends Criteria {
  /** Asking again with the same id is the same wait. */
  readonly requestId: RequestId;
}

/** Nothing to say. Unknown keys are refused everywhere. */
export type Empty = Record<string, never>;

/** What became of a `match:find`. `matched` is followed (or was preceded) by the push `conversation:started`. */
export interface FindReply {
  readonly status: 'waiting' | 'matched';
}

/**
 * Requests: visitor → service, imperative, each answered exactly once with a {@link Reply} in the
 * Socket.IO acknowledgement. A request without an acknowledgement is dropped and counted.
 */
export interface Requests {
  /**
   * Look for someone. Idempotent by `requestId`; a second one with another id while waiting replaces
   * what is looked for and keeps the place.
   * Refused: `already_in_conversation`, `bad_request`, `session_gone`, `rate_limited`.
   */
  'match:find': { readonly payload: FindPayload; readonly reply: FindReply };
  /**
   * Stop looking. Settles the race with a match: `already_matched` means that `conversation:started`
   * is on its way or already here. Cancelling when not waiting is `cancelled`.
   */
  'match:cancel': {
    readonly payload: Empty;
    readonly reply: { readonly status: 'cancelled' | 'already_matched' };
  };
  /**
   * Leave a conversation; with `next`, look for someone else in the same step (a skip). The leaver
   * gets `conversation:ended` with `you_left`, the peer with `peer_left`. Leaving a conversation that
   * has ended is answered `left` too, so that two skips at once both succeed.
   * `next` answers what became of the search, `null` when there was none.
   */
  'conversation:leave': {
    readonly payload: { readonly conversationId: ConversationId; readonly next?: FindPayload };
    readonly reply: { readonly status: 'left'; readonly next: FindReply['status'] | null };
  };
  /**
   * Never meet this peer again while both sessions live. Ends the conversation if it still runs;
   * works after its end too. The peer sees an ordinary `peer_left`.
   * Refused: `not_in_conversation` for a conversation that was not this visitor's last one.
   */
  'conversation:block': {
    readonly payload: { readonly conversationId: ConversationId };
    readonly reply: { readonly status: 'blocked' };
  };
  /** Whether the line lives: answered at once, changes nothing. For a page that wakes up and cannot tell. */
  'session:check': { readonly payload: Empty; readonly reply: { readonly status: 'here' } };
  /** Forget me now: ends the wait or the conversation, drops the session, closes the socket. */
  'session:close': { readonly payload: Empty; readonly reply: { readonly status: 'closed' } };
}

export type RequestName = keyof Requests;
export type RequestPayload<Name extends RequestName> = Requests[Name]['payload'];
export type RequestReply<Name extends RequestName> = Requests[Name]['reply'];

/** The registry: every request there is, in the order of the docs. Proved complete by its type. */
export const REQUEST_NAMES = [
  'match:find',
  'match:cancel',
  'conversation:leave',
  'conversation:block',
  'session:check',
  'session:close',
] as const satisfies readonly RequestName[];
