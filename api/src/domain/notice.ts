import type { ConversationId, EndReason, PeerPresence } from '@passerby/sdk/protocol';
import type { SessionId } from './ids.ts';
import type { SessionLocation, Seat, SessionRef } from './session.ts';

/**
 * Consequence of a store transition for one visitor, to be delivered by the node of their socket. The store returns
 * each notice exactly once, in the order of delivery.
 */
export type Notice = {
  /**
   * Orders the decisions of several nodes about one session: a notice older than one already delivered is dropped.
   * Rises with every change, even after a loss of changes: a store that comes back with an older state continues above
   * all former revisions. 0 in a store whose notices come in order.
   */
  readonly revision: number;
} & (
  | { readonly kind: 'started'; readonly to: SessionLocation; readonly seat: Seat }
  | {
      readonly kind: 'ended';
      readonly to: SessionLocation;
      readonly conversationId: ConversationId;
      readonly reason: EndReason;
    }
  | {
      readonly kind: 'presence';
      readonly to: SessionLocation;
      readonly conversationId: ConversationId;
      readonly presence: PeerPresence;
      /** Location of the peer's socket from now on. */
      readonly peer: SessionLocation;
    }
);

/** View that a node has of one of its local sessions. */
export interface LocalView {
  readonly session: SessionRef;
  readonly seat: Seat | null;
  readonly isPeerAway: boolean;
  /** True if the visitor was told to wait. */
  readonly isWaiting: boolean;
  /** Revision of the latest notice delivered to the visitor. */
  readonly toldAt: number;
}

/** Correction of a node's view, as of a revision. */
export type Correction = { readonly sessionId: SessionId; readonly revision: number } & (
  | { readonly kind: 'seated'; readonly seat: Seat; readonly isPeerAway: boolean }
  /** In no conversation; `reason` is why the one known to the node ended. */
  | { readonly kind: 'unseated'; readonly reason: EndReason }
  /** In a conversation whose end the visitor was told before the store lost it: it has to be left. */
  | { readonly kind: 'outlived'; readonly conversationId: ConversationId }
  /** Neither in the queue nor in a conversation, though told to wait. */
  | { readonly kind: 'idle' }
  /** In a wait that had ended before the store lost that: it has to be cancelled. */
  | { readonly kind: 'unasked' }
  /** Taken over by another socket. */
  | { readonly kind: 'elsewhere' }
  /** Treated as disconnected by the store. */
  | { readonly kind: 'away' }
  /** No longer existing. */
  | { readonly kind: 'gone' }
  /**
   * Restored by the store to a state before this socket resumed it: the session known to the store has to be closed,
   * and this one is gone.
   */
  | { readonly kind: 'forgotten'; readonly known: SessionRef }
);
