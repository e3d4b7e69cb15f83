import type { ChatError } from './errors.ts';
import type {
  Agreed,
  ConversationId,
  EndReason,
  OnlineBucket,
  PeerPresence,
  Policy,
  Shared,
  WaitStatus,
} from './protocol/index.ts';

/** Delivery state of a message of this visitor. `delivered` means the peer's client has shown it; `undelivered`, that the conversation ended first. */
export type MessageStatus = 'sending' | 'delivered' | 'undelivered';

/** Message of a conversation. */
export type Message =
  | {
      readonly from: 'me';
      /** Unique within the conversation, stable: a key for lists. */
      readonly id: string;
      readonly text: string;
      /** Local clock, Unix milliseconds. */
      readonly at: number;
      readonly status: MessageStatus;
    }
  | { readonly from: 'peer'; readonly id: string; readonly text: string; readonly at: number };

/** All that is known of the peer: whether they are connected, and whether they are typing. */
export interface Peer {
  readonly presence: PeerPresence;
  readonly isTyping: boolean;
}

/**
 * State of the chat. Each variant has only the fields that are valid in it: switch on `status`, and let the compiler
 * verify that all are handled.
 *
 * ```
 * idle ──find──▶ waiting ──▶ chatting ──▶ ended ──find──▶ waiting
 *                  │ cancel            skip │ ▲ │ leave
 *                  ▼                        ▼ │ ▼
 *                 idle                   waiting idle      any ──close──▶ closed
 *
 *  idle, waiting, chatting ──another tab has it──▶ elsewhere ──takeOver──▶ waiting, chatting or idle
 * ```
 */
export type ChatState =
  /** Neither a search nor a conversation. */
  | { readonly status: 'idle' }
  /**
   * Searching. `since` is the time by the local clock, Unix milliseconds. `progress` is the latest report of the service
   * on the wait; `null` before the first.
   */
  | { readonly status: 'waiting'; readonly since: number; readonly progress: WaitStatus | null }
  | {
      readonly status: 'chatting';
      readonly conversationId: ConversationId;
      readonly shared: Shared;
      readonly peer: Peer;
      readonly messages: readonly Message[];
    }
  /** The conversation is over, its messages still shown. `reason` is never `you_left` (leaving goes to `idle` or `waiting` at once) nor `unconfirmed` (which goes back to `waiting`). */
  | {
      readonly status: 'ended';
      readonly conversationId: ConversationId;
      readonly reason: EndReason;
      readonly shared: Shared;
      readonly messages: readonly Message[];
    }
  /** The service refused the connection, and the chat does not retry by itself. `find()` tries once more. */
  | { readonly status: 'refused'; readonly error: ChatError }
  /**
   * Another tab of this site has the search or the conversation: one tab has it at a time. `takeOver()` moves it to this
   * tab. Changes to `idle` by itself once the other tab has finished.
   */
  | { readonly status: 'elsewhere' }
  /** `close()` was called. Final. */
  | { readonly status: 'closed' };

/** Connection to the service, independent of the state of the chat. */
export type Connection =
  /** Not connected and not trying. */
  | { readonly status: 'offline' }
  /** The first attempt is in progress. */
  | { readonly status: 'connecting' }
  | { readonly status: 'connected' }
  /** The connection was lost or never came up; the next attempt (number `attempt`, from 1) starts at `retryAt`, Unix milliseconds. */
  | { readonly status: 'reconnecting'; readonly attempt: number; readonly retryAt: number };

/** Everything a user interface needs, immutable: a new object whenever anything in it changed, the same object otherwise. */
export interface ChatSnapshot {
  readonly state: ChatState;
  readonly connection: Connection;
  /** Approximate number of visitors on the site; `null` before the first report of the service. */
  readonly online: OnlineBucket | null;
  /** Policy of the site; `null` before the first connection. */
  readonly policy: Policy | null;
  /** Consent of this visitor; `null` before the first connection. See `needsAgreement`. */
  readonly agreed: Agreed | null;
}
