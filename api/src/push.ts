import type { PushName, PushPayload } from '@passerby/sdk/protocol';
import type { Visitor } from './domain/visitor.ts';
import type { SessionId, SiteId } from './domain/ids.ts';
import type { SessionRef } from './domain/session.ts';

/** The door out: the only way anything reaches a visitor connected to this node. */
export interface Push {
  /** Tells one visitor. `false` if they have no connection here; they learn it from `session:ready` when they are back. */
  toSession<Name extends PushName>(sessionId: SessionId, name: Name, payload: PushPayload<Name>): boolean;
  /** Tells one visitor that a conversation starts; `confirmed` is called when their client says it has it. */
  toStarted(
    sessionId: SessionId,
    payload: PushPayload<'conversation:started'>,
    confirmed: (session: SessionRef) => void,
  ): boolean;
  /** Tells every visitor of a site. `false` if some were left out because they read too slowly, which only befalls what may be lost. */
  toSite<Name extends PushName>(site: SiteId, name: Name, payload: PushPayload<Name>): boolean;
  /** Tells every visitor of this node. */
  toAll<Name extends PushName>(name: Name, payload: PushPayload<Name>): void;
  /** The session of a visitor connected here, as it stands; `null` if there is none. */
  sessionOf(sessionId: SessionId): SessionRef | null;
  /** Returns whether anybody of a site is connected to this node. */
  hasVisitors(site: SiteId): boolean;
  /** Iterates over the visitors connected to this node. */
  visitors(): Iterable<readonly [SessionRef, Visitor]>;
  /** The sessions that have a connection here. */
  sessions(): Iterable<SessionRef>;
  /** Closes the visitor's connection here, if there is one, after what was pushed before. */
  disconnect(sessionId: SessionId): void;
}
