import type { Frame, StoreFault } from '@passerby/sdk/protocol';
import type { NodeId, SessionId } from '../domain/ids.ts';
import type { Notice } from '../domain/notice.ts';

/** Message of one node to another. */
export type NodeMessage =
  /** Notice for a visitor whose socket is on the receiving node. */
  | { readonly kind: 'notice'; readonly notice: Notice }
  /** Session that has moved from the receiving node to the sending one, from this fence on. */
  | { readonly kind: 'superseded'; readonly sessionId: SessionId; readonly fence: number }
  /** Frame of a visitor on the sending node for a peer on the receiving one. */
  | { readonly kind: 'frame'; readonly from: SessionId; readonly to: SessionId; readonly frame: Frame };

/** Faults by which no messages of other nodes arrive. */
export type NodeBusFault = Extract<StoreFault, 'NO_PUBLISH' | 'NO_SUBSCRIBE' | 'NO_ECHO'>;

/**
 * Message bus to the other nodes. Best effort: the SDKs at both ends make frames reliable, and `session:ready` repeats
 * what lost notices said.
 */
export interface NodeBus {
  send(node: NodeId, message: NodeMessage): void;
}

/** Node bus of a single process, which has no other node to send to. */
export const noNodeBus: NodeBus = {
  send: () => undefined,
};
