import type { ConversationId, EndReason, PeerPresence } from '@passerby/sdk/protocol';
import type { SessionId } from './ids.ts';
import type { SessionLocation, Seat, SessionRef } from './session.ts';

/**
 * Consequence of a transition for one visitor, to be told on whichever node their socket is. The store
 * returns each notice exactly once, in the order in which they must be told.
 */
export type Notice = {
  /**
   * Orders what several nodes decided about one session: what is older than what was told is not told. Rises with
   * every change, also over a loss of changes: a store that comes back with an older state goes on beyond what it
   * told before. 0 in a store whose notices come in order.
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
      /** Where the peer's socket is from now on. */
      readonly peer: SessionLocation;
    }
);

/** View that a node has of one session whose socket is there. */
export interface LocalView {
  readonly session: SessionRef;
  readonly seat: Seat | null;
  readonly isPeerAway: boolean;
  /** True if the visitor was told to wait. */
  readonly isWaiting: boolean;
  /** The revision up to which the visitor was told. */
  readonly toldAt: number;
}

/** Correction of a node's view, as of a revision. */
export type Correction = { readonly sessionId: SessionId; readonly revision: number } & (
  | { readonly kind: 'seated'; readonly seat: Seat; readonly isPeerAway: boolean }
  /** In no conversation: why the one the node believes in ended. */
  | { readonly kind: 'unseated'; readonly reason: EndReason }
  /** The store went back to a conversation that the visitor was told the end of: it is to be left. */
  | { readonly kind: 'outlived'; readonly conversationId: ConversationId }
  /** Neither in the queue nor in a conversation, though told to wait. */
  | { readonly kind: 'idle' }
  /** The store went back to a wait that was over: it is to be cancelled. */
  | { readonly kind: 'unasked' }
  /** Another socket took the session over. */
  | { readonly kind: 'elsewhere' }
  /** Taken for disconnected. */
  | { readonly kind: 'away' }
  /** There is no such session any more. */
  | { readonly kind: 'gone' }
  /** The store went back to before this socket had the session: the one it knows is to be closed, and this one is gone. */
  | { readonly kind: 'forgotten'; readonly known: SessionRef }
);
