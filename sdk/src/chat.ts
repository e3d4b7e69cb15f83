/// <reference lib="esnext.disposable" preserve="true" />
import type { ChatEvents } from './events.ts';
import type { Criteria } from './protocol/index.ts';
import type { Agreement } from './commands/consent.ts';
import type { Report } from './commands/report-sender.ts';
import type { ChatSnapshot, Message } from './state.ts';

/** Options of a call. */
export interface CallOptions {
  /** Rejects the call with `aborted`, and ends the search of `find`. Has no effect once the call has resolved: see `cancel`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Chat of one visitor: one search or conversation at a time, over one connection. Created by `createChat`. Every method is
 * bound: `const { send } = chat` works, and so does a proxy around the chat.
 */
export interface Chat {
  /** Returns the current snapshot: the same object until something changes, as `useSyncExternalStore` requires. */
  snapshot(): ChatSnapshot;
  /**
   * Calls `listener` at once and after every change; returns a function that unsubscribes it. This is the Svelte store
   * contract (`$chat`); for React pass `(notify) => chat.on('change', notify)` and `chat.snapshot`.
   */
  subscribe(listener: (snapshot: ChatSnapshot) => void): () => void;
  /** Adds a listener of one event; returns a function that removes it. A listener that was added twice is called twice. */
  on<Name extends keyof ChatEvents>(name: Name, listener: (event: ChatEvents[Name]) => void): () => void;
  /**
   * Opens the connection without a search, for the online count and the policy. Resolves once connected; rejects with
   * the refusal. A second call uses the same connection.
   * @throws ChatError `open_elsewhere` while another tab of this site has a search or a conversation; or the service's
   *   refusal.
   */
  connect(options?: CallOptions): Promise<void>;
  /**
   * Continues the search or the conversation of the previous page, with all its messages: after a reload, or on the next
   * page of the site in the same tab. Resolves to `true` if there was one; the snapshot shows it by then, and the
   * connection is opened in the background. Never rejects. Call it before any other method. A second call during the
   * first one, or after one that found something, returns the same result.
   */
  resume(): Promise<boolean>;
  /**
   * Searches for a stranger; resolves once the service has accepted the search (or has found a match). Connects if
   * necessary, and retries while there is no connection, until `cancel()`. During a search it changes the criteria and
   * keeps the place in the queue. If the service requires a proof of work, it is computed as part of the wait.
   * @throws ChatError `wrong_state` in a conversation; `agreement_needed` while `needsAgreement` names something;
   *   `proof_needed` if the page cannot compute one; `open_elsewhere` while another tab of this site has a search or a
   *   conversation; or the service's refusal.
   */
  find(criteria?: Criteria, options?: CallOptions): Promise<void>;
  /** Ends the search. `already_matched`: it was too late, and a conversation starts or has started. */
  cancel(): Promise<'cancelled' | 'already_matched'>;
  /**
   * Sends a message. It is in the snapshot at once as `sending`, connected or not, and becomes `delivered` or
   * `undelivered`.
   * @throws ChatError `wrong_state` without a conversation, `text_refused`, `outbox_full`; `rate_limited` after
   *   too many at once, with the remaining time in `retryAfterMs`: messages that were accepted before are sent after it.
   */
  send(text: string): Extract<Message, { from: 'me' }>;
  /** Tells the peer that the visitor started (`true`) or stopped composing. May be called at every key: it is throttled. Does nothing without a conversation. */
  typing(on: boolean): void;
  /** Leaves the conversation (or its ended view) and searches for another stranger in one step, by the previous criteria unless others are given. */
  skip(criteria?: Criteria): Promise<void>;
  /** Leaves the conversation, the search or the ended view; returns to `idle`. Never rejects: without a connection the service is told after the next one. */
  leave(): Promise<void>;
  /** Leaves and blocks the peer: the two are not matched again. In a conversation or its ended view; returns to `idle`. */
  block(): Promise<void>;
  /**
   * Reports the peer to the site's moderators. The conversation continues, and the peer never learns of it. Resolves
   * once the service has accepted the report; without a connection, after the next one. Another report of the same
   * conversation counts as the same.
   * @throws ChatError `wrong_state` if there is nobody to report; `text_refused` for a comment that is too
   *   long; `not_in_conversation` after `TIMES.reportMs`; `timeout`; or the service's refusal.
   */
  report(report: Report): Promise<void>;
  /**
   * Agrees to the site's rules and states the visitor's age band, as required by `needsAgreement`. Connects if
   * necessary; a search that starts meanwhile waits for it. Kept in memory, and sent again if the service has lost the
   * session, as long as the rules are the same.
   * @throws ChatError `age_band_fixed` for another band than before; `bad_request` for rules of another version or an
   *   unknown band; or the refusal of the connection.
   */
  agree(agreement: Agreement): Promise<void>;
  /**
   * Moves the search or the conversation from the tab that has it to this one, in the state `elsewhere`; the other tab
   * is then `elsewhere`. Ends in `waiting` or `chatting`, or in `idle` if it was over meanwhile.
   */
  takeOver(): Promise<void>;
  /** @deprecated The former name of `takeOver`. */
  useHere(): Promise<void>;
  /**
   * Ends the search or the conversation, and disconnects. Final. Once it has resolved, no timer, listener or socket is
   * left, other tabs may have the chat, and no event is emitted. State of a previous page that `resume()` has not
   * continued yet stays for the next chat.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
