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

/** One line of the conversation. */
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

/** Peer, as far as the service makes it known: that they are here, and that they type. Nothing else. */
export interface Peer {
  readonly presence: PeerPresence;
  readonly isTyping: boolean;
}

/**
 * Where the visitor stands. Each variant holds only what is true in it; switch on `status` and end
 * with `assertNever`.
 *
 * ```
 * idle ──find──▶ waiting ──▶ chatting ──▶ ended ──find──▶ waiting
 *                  │ cancel            skip │ ▲ │ stop
 *                  ▼                        ▼ │ ▼
 *                 idle                   waiting idle      any ──close──▶ closed
 *
 *  idle, waiting, chatting ──another tab has it──▶ elsewhere ──takeOver──▶ waiting, chatting or idle
 * ```
 */
export type ChatState =
  /** Nothing under way. */
  | { readonly status: 'idle' }
  /**
   * Looking for someone. `since` is the local clock, Unix milliseconds. `progress` is what the service
   * last said of the wait; `null` until it did.
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
  /** The service said no and trying again by itself cannot help; `find()` tries once more. */
  | { readonly status: 'refused'; readonly error: ChatError }
  /**
   * Another tab of this site waits or talks, and one tab at a time does. `takeOver()` brings it over. Goes
   * to `idle` by itself once that tab has finished.
   */
  | { readonly status: 'elsewhere' }
  /** `close()` was called. Final. */
  | { readonly status: 'closed' };

/** Connection to the service, independent of the state of the chat. */
export type Connection =
  /** Not connected and not trying. */
  | { readonly status: 'offline' }
  /** First attempt under way. */
  | { readonly status: 'connecting' }
  | { readonly status: 'connected' }
  /** The connection was lost or never came up; the next attempt (number `attempt`, from 1) starts at `retryAt`, Unix milliseconds. */
  | { readonly status: 'reconnecting'; readonly attempt: number; readonly retryAt: number };

/** Everything a user interface needs, immutable: a new object whenever anything in it changed, the same object otherwise. */
export interface ChatSnapshot {
  readonly state: ChatState;
  readonly connection: Connection;
  /** About how many visitors are on the site; `null` until the service said so. */
  readonly online: OnlineBucket | null;
  /** Policy of the site; `null` before the first connection. */
  readonly policy: Policy | null;
  /** Consent of this visitor; `null` before the first connection. See `needsAgreement`. */
  readonly agreed: Agreed | null;
}
