import { FRAME_EVENT, type Frame, type PushName, type PushPayload } from '@passerby/sdk/protocol';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { Tally } from '../observability/tally.ts';
import type { Push } from '../push.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SessionId, SiteId } from '../domain/ids.ts';
import type { SessionRef } from '../domain/session.ts';
import { isBehind } from './connection-bounds.ts';
import type { VisitorServer, VisitorSocket } from './visitor-socket.ts';

/** The sockets of this node, by session; the one file that emits. */
export class SocketPush implements Push {
  readonly #sockets = new Map<SessionId, VisitorSocket>();
  readonly #bounds: ConnectionLimits;
  readonly #tally: Tally;
  #server: VisitorServer | null = null;

  constructor(bounds: ConnectionLimits, tally: Tally) {
    this.#bounds = bounds;
    this.#tally = tally;
  }

  /** Late, because the server's listeners need what needs this. */
  attach(server: VisitorServer): void {
    this.#server = server;
  }

  /** From here on this socket speaks for the session. */
  bind(session: SessionRef, socket: VisitorSocket): void {
    this.#sockets.set(session.sessionId, socket);
    socket.data.session = session;
  }

  /** `false` if another socket (or none) speaks for the session by now. */
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

  /** Returns whether a push that may be lost is: what waits for this visitor already is more than enough. */
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
 * Pushes that are as good as new when they come again, or are worth nothing later: how many are here, how a wait
 * stands, and frames without a number (typing, bare acknowledgements, which repeat what later ones say).
 */
function mayBeLost<Name extends PushName>(name: Name, payload: PushPayload<Name>): boolean {
  if (name === FRAME_EVENT) return (payload as Frame).seq === 0;
  return name === 'site:presence' || name === 'match:status';
}

/** Socket.IO's own types cannot follow a generic name; the pair (name, payload) was checked by the caller's. */
interface Emitting {
  emit(name: string, payload: unknown): unknown;
}

/** Tells a socket that it has a session again; `confirmed` is called when the client says it has the token. */
export function emitRecovered(socket: VisitorSocket, ready: PushPayload<'session:ready'>, confirmed: () => void): void {
  socket.emit('session:ready', ready, confirmed);
}

/** Tells one socket, also one that has no session yet. */
export function emit<Name extends PushName>(socket: VisitorSocket, name: Name, payload: PushPayload<Name>): void {
  (socket as Emitting).emit(name, payload);
}
