import type { PushName, PushPayload, SiteKey } from '@passerby/sdk/protocol';
import type { SessionId } from './state/state-store.ts';

/** The door out: the only way anything reaches a visitor connected to this node. */
export interface Push {
  /** Tells one visitor. `false` if they have no connection here; they learn it from `session:ready` when they are back. */
  toSession<Name extends PushName>(sessionId: SessionId, name: Name, payload: PushPayload<Name>): boolean;
  /** Tells every visitor of a site. */
  toSite<Name extends PushName>(site: SiteKey, name: Name, payload: PushPayload<Name>): void;
  /** Tells every visitor of this node. */
  toAll<Name extends PushName>(name: Name, payload: PushPayload<Name>): void;
  /** Closes the visitor's connection here, if there is one, after what was pushed before. */
  disconnect(sessionId: SessionId): void;
}
