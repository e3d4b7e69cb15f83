/// <reference lib="esnext.disposable" preserve="true" />
import type { ChatEvents } from './events.ts';
import type { Criteria } from './protocol/index.ts';
import type { Agreement } from './commands/consent.ts';
import type { Report } from './commands/report-sender.ts';
import type { ChatSnapshot, Message } from './state.ts';

/** Options of a call. */
export interface CallOptions {
  /** Rejects the call with `aborted`; `find` then looks for nobody. Once the call has resolved it does nothing: see `cancel`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A visitor's chat: one wait or conversation at a time, over one connection. Made by `createChat`. Every method is
 * bound: `const { send } = chat` works, and so does a proxy around the chat.
 */
export interface Chat {
  /** The present truth. The same object until something changes, so it fits `useSyncExternalStore`. */
  snapshot(): ChatSnapshot;
  /**
   * Calls `listener` at once and after every change; returns the undo. This is the Svelte store
   * contract (`$chat`); for React pass `(notify) => chat.on('change', notify)` and `chat.snapshot`.
   */
  subscribe(listener: (snapshot: ChatSnapshot) => void): () => void;
  /** Listens to one event; returns the undo. The same listener twice is called twice. */
  on<Name extends keyof ChatEvents>(name: Name, listener: (event: ChatEvents[Name]) => void): () => void;
  /**
   * Opens the connection without looking for anyone, for the online count and the policy. Resolves
   * once connected; rejects with the refusal. Connecting again is the same connection.
   * @throws ChatError `open_elsewhere` while another tab of this site waits or talks; or the service's refusal.
   */
  connect(options?: CallOptions): Promise<void>;
  /**
   * Takes up what this visitor was in the middle of when the page went: after a reload, or on the next
   * page of the site in the same tab, the wait or the conversation goes on with everything said in it.
   * Resolves with whether there was anything to take up; the snapshot shows it by then, and the
   * connection follows by itself. Never rejects. Call it before anything else; a second call while it is under way, or once
   * there was something, is the first.
   */
  resume(): Promise<boolean>;
  /**
   * Looks for someone; resolves once the service has the wait (or a match). Connects if need be, and
   * while the connection is away keeps trying until `cancel()`. Calling it while waiting changes what
   * is looked for and keeps the place.
   * Where the service asks for a proof of work it is computed meanwhile, as part of the wait.
   * @throws ChatError `wrong_state` in a conversation; `agreement_needed` while `needsAgreement` names
   *   something; `proof_needed` where the page cannot compute one; `open_elsewhere` while another tab of this site
   *   waits or talks; or the service's refusal.
   */
  find(criteria?: Criteria, options?: CallOptions): Promise<void>;
  /** Stops looking. `already_matched`: too late, a conversation starts (or has started). */
  cancel(): Promise<'cancelled' | 'already_matched'>;
  /**
   * Says something. The message is in the snapshot at once as `sending`, whether or not the connection
   * is up, and becomes `delivered` or `undelivered`.
   * @throws ChatError `wrong_state` without a conversation, `text_refused`, `outbox_full`; `rate_limited` after
   *   too much at once, with the time left in `retryAfterMs`: what was sent before is delivered after it.
   */
  send(text: string): Extract<Message, { from: 'me' }>;
  /** Tells the peer that the visitor composes (`true`, as often as you like: throttled) or no longer does. Does nothing without a conversation. */
  typing(on: boolean): void;
  /** Leaves the conversation (or its ended view) and looks for someone else in one step; for the same as before unless told. */
  skip(criteria?: Criteria): Promise<void>;
  /** Leaves the conversation, the wait or the ended view; back to `idle`. Never rejects: what cannot be told now is told on reconnect. */
  leave(): Promise<void>;
  /** Never meet this peer again, and leave. In a conversation or its ended view; goes to `idle`. */
  block(): Promise<void>;
  /**
   * Tells the people who look after the site about the peer. Changes nothing in the conversation, and the
   * peer never learns of it. Resolves once the service has it; without a connection that is when it is back.
   * Reporting the same conversation again is the same report.
   * @throws ChatError `wrong_state` where there is nobody to report; `text_refused` for a comment that is too
   *   long; `not_in_conversation` after `TIMES.reportMs`; `timeout`; or the service's refusal.
   */
  report(report: Report): Promise<void>;
  /**
   * Agrees to the site's rules and names the visitor's age band, as far as `needsAgreement` asks. Connects if
   * need be; a search begun meanwhile waits for it. Kept in memory: should the service forget the session it
   * is told the same again, as long as the rules are the same.
   * @throws ChatError `age_band_fixed` for another band than before; `bad_request` for rules of another
   *   version or a band there is not; or why there is no connection.
   */
  agree(agreement: Agreement): Promise<void>;
  /**
   * In `elsewhere`: brings the wait or the conversation over from the tab that has it, which then is
   * `elsewhere` in its turn. Ends in `waiting` or `chatting`, or in `idle` if nothing was left to bring.
   */
  takeOver(): Promise<void>;
  /** @deprecated The former name of `takeOver`. */
  useHere(): Promise<void>;
  /**
   * Forgets everything and disconnects. Final. Once it has resolved no timer, listener or socket is left, other
   * tabs may have the chat, and nothing is emitted any more. What a page before this one left, and `resume()` did
   * not take up yet, stays for the next chat.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
