import type { IncomingMessage } from 'node:http';
import { clientAddress } from '../privacy/client-address.ts';
import { NetworkCounts } from '../rate-limiting/network-counts.ts';
import type { VisitorServer } from './visitor-socket.ts';

/** One Engine.IO connection. */
interface Connection {
  readonly request: IncomingMessage;
  once(name: 'close', then: () => void): void;
  close(isDiscarding: boolean): void;
}

/** Counts the open connections of each network of an address on this process, from the handshake on, joined or not. */
export class AddressConnections {
  readonly #trustedHops: number;
  readonly #open: NetworkCounts;

  constructor(max: number, trustedHops: number) {
    this.#open = new NetworkCounts(max);
    this.#trustedHops = trustedHops;
  }

  /** Returns whether the address of a request may open no further connection. */
  isFull(request: IncomingMessage): boolean {
    return this.#open.isFull(clientAddress(request, this.#trustedHops));
  }

  /**
   * Counts the connections of this server. One that was admitted before others were counted, and now exceeds the limit,
   * is refused.
   */
  watch(server: VisitorServer, refused: () => void): void {
    server.engine.on('connection', (connection: Connection) => {
      const address = clientAddress(connection.request, this.#trustedHops);
      const isFull = this.#open.isFull(address);
      connection.once('close', this.#open.add(address));
      if (!isFull) return;
      refused();
      connection.close(true);
    });
  }
}
