import { FRAME_EVENT, type Frame, type PushName, type PushPayload } from '@passerby/sdk/protocol';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { Tally } from '../observability/tally.ts';
import type { Push } from '../push.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SessionId, SiteId } from '../domain/ids.ts';
import type { SessionRef } from '../domain/session.ts';
import { isBehind } from './connection-bounds.ts';
import type { VisitorServer, VisitorSocket } from './visitor-socket.ts';

/** Sockets of this node, by session. Only this file emits. */
export class SocketPush implements Push {
  readonly #sockets = new Map<SessionId, VisitorSocket>();
  readonly #bounds: ConnectionLimits;
  readonly #tally: Tally;
  #server: VisitorServer | null = null;

  constructor(bounds: ConnectionLimits, tally: Tally) {
    this.#bounds = bounds;
    this.#tally = tally;
  }

  /** Sets the server after construction, because the server's listeners depend on this object. */
  attach(server: VisitorServer): void {
    this.#server = server;
  }

  /** Makes this socket the one of the session. */
  bind(session: SessionRef, socket: VisitorSocket): void {
    this.#sockets.set(session.sessionId, socket);
    socket.data.session = session;
  }

  /** Releases a session's socket. Returns `false` if the session has another socket by now, or none. */
  unbind(sessionId: SessionId, socket: VisitorSocket): boolean {
    return this.#sockets.get(sessionId) === socket && this.#sockets.delete(sessionId);
  }

  get size(): number {
    return this.#sockets.size;
  }

  toSession<Name extends PushName>(sessionId: SessionId, name: Name, payload: PushPayload<Name>): boolean {
    const socket = this.#sockets.get(sessionId);
    if (socket === undefined) return false;
    if (!mayBeLost(name, payload) || !this.#isBehind(socket)) emit(socket, name, payload);
    return true;
  }

  toStarted(
    sessionId: SessionId,
    payload: PushPayload<'conversation:started'>,
    confirmed: (session: SessionRef) => void,
  ): boolean {
    const socket = this.#sockets.get(sessionId);
    if (socket === undefined) return false;
    socket.emit('conversation:started', payload, () => {
      if (socket.data.session !== null) confirmed(socket.data.session);
    });
    return true;
  }

  toSite<Name extends PushName>(site: SiteId, name: Name, payload: PushPayload<Name>): boolean {
    const behind = mayBeLost(name, payload) ? this.#behindIn(site) : [];
    const room = this.#server?.to(site).except(behind) as Emitting | undefined;
    room?.emit(name, payload);
    return behind.length === 0;
  }

  toAll<Name extends PushName>(name: Name, payload: PushPayload<Name>): void {
    (this.#server as Emitting | null)?.emit(name, payload);
  }

  sessionOf(sessionId: SessionId): SessionRef | null {
    return this.#sockets.get(sessionId)?.data.session ?? null;
  }

  hasVisitors(site: SiteId): boolean {
    return this.#server?.of('/').adapter.rooms.has(site) ?? false;
  }

  *visitors(): Iterable<readonly [SessionRef, Visitor]> {
    for (const { data } of this.#sockets.values()) if (data.session !== null) yield [data.session, data.visitor];
  }

  *sessions(): Iterable<SessionRef> {
    for (const { data } of this.#sockets.values()) if (data.session !== null) yield data.session;
  }

  disconnect(sessionId: SessionId): void {
    const socket = this.#sockets.get(sessionId);
    if (socket === undefined) return;
    this.#sockets.delete(sessionId);
    socket.data.session = null;
    socket.disconnect(true);
  }

  /** Returns whether too much is queued for this visitor, so that pushes which may be lost are dropped. */
  #isBehind(socket: VisitorSocket): boolean {
    const isLost = isBehind(socket, this.#bounds);
    if (isLost) this.#tally.count('push_lost');
    return isLost;
  }

  #behindIn(site: SiteId): string[] {
    const { adapter, sockets } = this.#server!.of('/');
    const ids = [...(adapter.rooms.get(site) ?? [])];
    return ids.filter((id) => this.#isBehind(sockets.get(id)!));
  }
}

/**
 * Returns whether a push may be lost, since it is repeated soon or worthless later: the number online, the status of a
 * wait, and unnumbered frames (typing, bare acknowledgements, which later ones repeat).
 */
function mayBeLost<Name extends PushName>(name: Name, payload: PushPayload<Name>): boolean {
  if (name === FRAME_EVENT) return (payload as Frame).seq === 0;
  return name === 'site:presence' || name === 'match:status';
}

/**
 * Untyped `emit`: Socket.IO's types cannot handle a generic name; the caller's types have checked the pair (name,
 * payload).
 */
interface Emitting {
  emit(name: string, payload: unknown): unknown;
}

/** Sends `session:ready` for a resumed session; `confirmed` is called when the client acknowledges the token. */
export function emitRecovered(socket: VisitorSocket, ready: PushPayload<'session:ready'>, confirmed: () => void): void {
  socket.emit('session:ready', ready, confirmed);
}

/** Sends a push to one socket, also to one without a session. */
export function emit<Name extends PushName>(socket: VisitorSocket, name: Name, payload: PushPayload<Name>): void {
  (socket as Emitting).emit(name, payload);
}
