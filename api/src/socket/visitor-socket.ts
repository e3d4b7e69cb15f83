import type { ClientToServerEvents, ServerToClientEvents } from '@passerby/sdk/protocol';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { Site } from '../sites/site.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SessionRef } from '../domain/session.ts';

/** Data of a connection. */
export interface SocketData {
  site: Site;
  visitor: Visitor;
  /** Session of the connection; `null` until it is open, and again once it has moved to another socket. */
  session: SessionRef | null;
}

export type VisitorServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
export type VisitorSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
