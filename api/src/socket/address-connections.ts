import type { IncomingMessage } from 'node:http';
import { addressPrefix, clientAddress } from '../client-address.ts';
import type { VisitorServer } from './visitor-socket.ts';

/** One Engine.IO connection. */
interface Connection {
  readonly request: IncomingMessage;
  once(name: 'close', then: () => void): void;
  close(isDiscarding: boolean): void;
}

/** How many connections each address has open on this process, from the handshake on, whether a visitor joined or not. */
export class AddressConnections {
  readonly #max: number;
  readonly #trustedHops: number;
  readonly #open = new Map<string, number>();

  constructor(max: number, trustedHops: number) {
    this.#max = max;
    this.#trustedHops = trustedHops;
  }

  /** Whether the address a request comes from may open no other connection. */
  isFull(request: IncomingMessage): boolean {
    return (this.#open.get(this.#prefixOf(request)) ?? 0) >= this.#max;
  }

  /** Counts what this server opens and closes. What was let in before others were counted, and is too many now, is refused. */
  watch(server: VisitorServer, refused: () => void): void {
    server.engine.on('connection', (connection: Connection) => {
      const prefix = this.#prefixOf(connection.request);
      const isFull = this.isFull(connection.request);
      this.#count(prefix, 1);
      connection.once('close', () => this.#count(prefix, -1));
      if (!isFull) return;
      refused();
      connection.close(true);
    });
  }

  #prefixOf(request: IncomingMessage): string {
    return addressPrefix(clientAddress(request, this.#trustedHops));
  }

  #count(prefix: string, by: 1 | -1): void {
    const open = (this.#open.get(prefix) ?? 0) + by;
    if (open === 0) this.#open.delete(prefix);
    else this.#open.set(prefix, open);
  }
}
