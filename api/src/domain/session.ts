import type { ConversationId, Shared } from '@passerby/sdk/protocol';
import type { NodeId, SessionId, SiteId } from './ids.ts';

/**
 * Session as the sender of a request. Every resume raises the fence; a request that carries an older one comes from a socket that
 * was taken over, and is refused with `session_gone`.
 */
export interface SessionRef {
  readonly site: SiteId;
  readonly sessionId: SessionId;
  readonly fence: number;
}

/** Where a session's socket is, so that a notice finds it. */
export interface SessionLocation {
  readonly site: SiteId;
  readonly sessionId: SessionId;
  readonly nodeId: NodeId;
}

/** A conversation as one side sees it. `peer` is for the relay only. */
export interface Seat {
  readonly conversationId: ConversationId;
  readonly role: 'offerer' | 'answerer';
  readonly shared: Shared;
  readonly peer: SessionLocation;
}
