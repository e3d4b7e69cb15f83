import type { ConversationId, RequestId } from './ids.ts';

/** Criteria of a search. Everything is optional: an empty object means "anyone here". */
export interface Criteria {
  /** Interests of the visitor; lower-cased and trimmed by the service. At most `LIMITS.interestsMax`. */
  readonly interests?: readonly string[];
  /** Languages the visitor can talk in, as BCP 47 tags, best first. At most `LIMITS.languagesMax`. */
  readonly languages?: readonly string[];
  /** Page or subject that the visitor is on. Visitors of the same topic meet first. */
  readonly topic?: string;
  /** Group that the visitor belongs to, for sites that match groups. Has an effect only with `seeks` of others. */
  readonly is?: string;
  /** Groups that the visitor wants to meet. Applies both ways and is never relaxed. */
  readonly seeks?: readonly string[];
}

/** Payload of `match:find`, and of `next` in `conversation:leave`. */
export interface FindPayload extends Criteria {
  /** Id of the search: a retry with the same id is the same wait. */
  readonly requestId: RequestId;
}

/** Reasons for a report. */
export const REPORT_REASONS = ['harassment', 'sexual', 'hate', 'threat', 'minor', 'spam', 'other'] as const;
export type ReportReason = (typeof REPORT_REASONS)[number];

/** One message as the reporting visitor saw it. 1 to `LIMITS.textMaxChars`. */
export interface ReportedMessage {
  readonly from: 'me' | 'peer';
  readonly text: string;
}

/** Proof-of-work challenge: an ALTCHA challenge as JSON. */
export interface Challenge {
  readonly parameters: { readonly [name: string]: string | number };
  readonly signature: string;
}

/** Empty payload. Unknown keys are refused everywhere. */
export type Empty = Record<string, never>;

/** Outcome of a `match:find`. `matched` is followed (or was preceded) by the push `conversation:started`. */
export interface FindReply {
  readonly status: 'waiting' | 'matched';
}

/**
 * Payloads and replies of the requests: imperatives, from a visitor to the service, each answered exactly once with a
 * {@link Reply} in the Socket.IO acknowledgement. A request without an acknowledgement is dropped and counted.
 */
export interface Requests {
  /**
   * Searches for somebody. Idempotent by `requestId`; a second one with another id while waiting replaces the criteria
   * and keeps the place in the queue. Refused: `already_in_conversation`, `agreement_needed`, `proof_needed`, `banned`,
   * `bad_request`, `session_gone`, `rate_limited`.
   */
  'match:find': { readonly payload: FindPayload; readonly reply: FindReply };
  /**
   * Cancels a search. Settles the race with a match: `already_matched` means that `conversation:started` is on its way
   * or has already arrived. The answer without a wait is `cancelled`.
   */
  'match:cancel': {
    readonly payload: Empty;
    readonly reply: { readonly status: 'cancelled' | 'already_matched' };
  };
  /**
   * Leaves a conversation; with `next`, searches for somebody else in the same step (a skip). The leaver gets
   * `conversation:ended` with `you_left`, the peer with `peer_left`. Leaving a conversation that has ended is answered
   * `left` too, so that two skips at once both succeed. `next` in the reply is the outcome of the search, `null` when
   * there was none.
   */
  'conversation:leave': {
    readonly payload: { readonly conversationId: ConversationId; readonly next?: FindPayload };
    readonly reply: { readonly status: 'left'; readonly next: FindReply['status'] | null };
  };
  /**
   * Prevents a further match with this peer while both sessions live. Ends the conversation if it still runs; works
   * after its end too. The peer sees an ordinary `peer_left`. Refused: `not_in_conversation` for a conversation that
   * was not this visitor's last one.
   */
  'conversation:block': {
    readonly payload: { readonly conversationId: ConversationId };
    readonly reply: { readonly status: 'blocked' };
  };
  /**
   * Reports the peer of a conversation to the site's operators, while it runs or within `TIMES.reportMs` after its end.
   * Changes nothing in the conversation, and the peer never learns of it. `messages`, the last ones, only if the
   * policy's `history` is `reports`. Reporting the same conversation again is the same report. Refused:
   * `not_in_conversation` for one this visitor was not in, or that ended too long ago; `rate_limited`.
   */
  'conversation:report': {
    readonly payload: {
      readonly conversationId: ConversationId;
      readonly reason: ReportReason;
      /** At most `LIMITS.commentMaxChars`. */
      readonly comment?: string;
      /** At most `LIMITS.reportMessagesMax`. */
      readonly messages?: readonly ReportedMessage[];
    };
    readonly reply: { readonly status: 'reported' };
  };
  /**
   * Agrees to the site's rules (their version) and names the visitor's age band, as far as the policy asks
   * for them. A band is bound to the session: naming the same again changes nothing.
   * Refused: `age_band_fixed` for another band; `bad_request` for one the site does not have, or for rules
   * of another version.
   */
  'session:agree': {
    readonly payload: { readonly rules?: string; readonly ageBand?: string };
    readonly reply: { readonly status: 'agreed' };
  };
  /** Requests a proof-of-work challenge, after `proof_needed`. Valid for one session, once, and for a few minutes. */
  'session:challenge': { readonly payload: Empty; readonly reply: { readonly challenge: Challenge } };
  /**
   * Submits the solution: an ALTCHA payload as base64. No further proof is required for a while. Refused:
   * `proof_needed` if it is wrong, too late, or was submitted before.
   */
  'session:prove': { readonly payload: { readonly solution: string }; readonly reply: { readonly status: 'proven' } };
  /**
   * Checks the connection: answered at once, changes nothing. For a page that wakes up and does not know whether it is
   * still connected.
   */
  'session:check': { readonly payload: Empty; readonly reply: { readonly status: 'here' } };
  /** Closes the session at once: ends the wait or the conversation, deletes the session, closes the socket. */
  'session:close': { readonly payload: Empty; readonly reply: { readonly status: 'closed' } };
}

export type RequestName = keyof Requests;
export type RequestPayload<Name extends RequestName> = Requests[Name]['payload'];
export type RequestReply<Name extends RequestName> = Requests[Name]['reply'];

/** Registry of all requests, in the order of the docs. Proved complete by its type. */
export const REQUEST_NAMES = [
  'match:find',
  'match:cancel',
  'conversation:leave',
  'conversation:block',
  'conversation:report',
  'session:agree',
  'session:challenge',
  'session:prove',
  'session:check',
  'session:close',
] as const satisfies readonly RequestName[];
