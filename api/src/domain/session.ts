import type { ConversationId, Shared } from '@passerby/sdk/protocol';
import type { NodeId, SessionId, SiteId } from './ids.ts';

/**
 * Session as the sender of a request. Every resume raises the fence; a request with an older one comes from a
 * superseded socket, and is refused with `session_gone`.
 */
export interface SessionRef {
  readonly site: SiteId;
  readonly sessionId: SessionId;
  readonly fence: number;
}

/** Location of a session's socket, to which notices are delivered. */
export interface SessionLocation {
  readonly site: SiteId;
  readonly sessionId: SessionId;
  readonly nodeId: NodeId;
}

/** Conversation from the view of one visitor. `peer` is for the relay only. */
export interface Seat {
  readonly conversationId: ConversationId;
  readonly role: 'offerer' | 'answerer';
  readonly shared: Shared;
  readonly peer: SessionLocation;
}
