import type { Frame, StoreFault } from '@passerby/sdk/protocol';
import type { NodeId, SessionId } from '../domain/ids.ts';
import type { Notice } from '../domain/notice.ts';

/** Message of one node to another. */
export type NodeMessage =
  /** Something for a visitor whose socket is there. */
  | { readonly kind: 'notice'; readonly notice: Notice }
  /** A session whose socket was there is here now, from this fence on. */
  | { readonly kind: 'superseded'; readonly sessionId: SessionId; readonly fence: number }
  /** A frame for the peer of a visitor here. */
  | { readonly kind: 'frame'; readonly from: SessionId; readonly to: SessionId; readonly frame: Frame };

/** Why nothing comes through from other nodes. */
export type NodeBusFault = Extract<StoreFault, 'NO_PUBLISH' | 'NO_SUBSCRIBE' | 'NO_ECHO'>;

/** The way to the other nodes. Best effort: the ends make frames reliable, and `session:ready` tells what notices told. */
export interface NodeBus {
  send(node: NodeId, message: NodeMessage): void;
}

/** One process: there is nobody to send to. */
export const noNodeBus: NodeBus = {
  send: () => undefined,
};
