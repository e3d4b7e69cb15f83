import type { PushName, PushPayload, SiteKey } from '@passerby/sdk/protocol';
import type { Push } from '../push.ts';
import type { SessionId, SessionRef } from '../state/state-store.ts';
import type { VisitorServer, VisitorSocket } from './visitor-socket.ts';

/** The sockets of this node, by session; the one file that emits. */
export class SocketPush implements Push {
  readonly #sockets = new Map<SessionId, VisitorSocket>();
  #server: VisitorServer | null = null;

  /** Late, because the server's listeners need what needs this. */
  attach(server: VisitorServer): void {
    this.#server = server;
  }

  /** From here on this socket speaks for the session. */
  bind(sessionId: SessionId, socket: VisitorSocket): void {
    this.#sockets.set(sessionId, socket);
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
    emit(socket, name, payload);
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

  toSite<Name extends PushName>(site: SiteKey, name: Name, payload: PushPayload<Name>): void {
    const room = this.#server?.to(site) as Emitting | undefined;
    room?.emit(name, payload);
  }

  toAll<Name extends PushName>(name: Name, payload: PushPayload<Name>): void {
    (this.#server as Emitting | null)?.emit(name, payload);
  }

  sessionOf(sessionId: SessionId): SessionRef | null {
    return this.#sockets.get(sessionId)?.data.session ?? null;
  }

  hasVisitors(site: SiteKey): boolean {
    return this.#server?.of('/').adapter.rooms.has(site) ?? false;
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
}

/** Socket.IO's own types cannot follow a generic name; the pair (name, payload) was checked by the caller's. */
interface Emitting {
  emit(name: string, payload: unknown): unknown;
}

/** Tells one socket, also one that has no session yet. */
export function emit<Name extends PushName>(socket: VisitorSocket, name: Name, payload: PushPayload<Name>): void {
  (socket as Emitting).emit(name, payload);
}
