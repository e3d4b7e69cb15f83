import type { ClientToServerEvents, ResumeToken, ServerToClientEvents } from '@passerby/sdk/protocol';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { Visitor } from '../domain/visitor.ts';
import type { SessionRateLimiter } from '../rate-limiting/session-rate-limiter.ts';
import type { LocalSession } from '../sessions/local-sessions.ts';
import type { Site } from '../sites/site.ts';

/** Data of a connection. */
export interface SocketData {
  readonly site: Site;
  readonly visitor: Visitor;
  /** Token with which it resumes a session. */
  readonly presented: ResumeToken | undefined;
  /** Session of the connection; `null` until it is open, and again once the connection has lost it. */
  session: LocalSession | null;
  /** Limits what is sent without a session. */
  readonly limiter: SessionRateLimiter;
  /** Number of requests in progress. */
  requestsInProgress: number;
}

export type VisitorServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
export type VisitorSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
