import type { PushName, PushPayload } from '@passerby/sdk/protocol';
import type { Broadcast } from '../broadcast.ts';
import type { SiteId } from '../domain/ids.ts';
import { type Emitting, isTooSlow, mayBeLost, type SocketConnectionParts } from './socket-connection.ts';
import type { VisitorServer } from './visitor-socket.ts';

/** Broadcast over Socket.IO. The visitors of a site have joined the room of its id. */
export class SocketBroadcast implements Broadcast {
  readonly #server: VisitorServer;
  readonly #parts: SocketConnectionParts;

  constructor(server: VisitorServer, parts: SocketConnectionParts) {
    this.#server = server;
    this.#parts = parts;
  }

  toSite<Name extends PushName>(site: SiteId, name: Name, payload: PushPayload<Name>): boolean {
    const tooSlow = mayBeLost(name, payload) ? this.#tooSlowOf(site) : [];
    (this.#server.to(site).except(tooSlow) as Emitting).emit(name, payload);
    return tooSlow.length === 0;
  }

  toAll<Name extends PushName>(name: Name, payload: PushPayload<Name>): void {
    (this.#server as Emitting).emit(name, payload);
  }

  #tooSlowOf(site: SiteId): string[] {
    const { adapter, sockets } = this.#server.of('/');
    const ids = [...(adapter.rooms.get(site) ?? [])];
    return ids.filter((id) => isTooSlow(sockets.get(id)!, this.#parts));
  }
}
