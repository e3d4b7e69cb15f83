import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector } from 'ioredis';

/** Hosts to connect to; replaced as more become known. */
export interface HostList {
  all: readonly { readonly host: string; readonly port: number }[];
}

/** Returns an ioredis connector that takes the next host of the list at each attempt. */
export function hostsInTurn(hosts: HostList, tls: object | undefined): new (options: unknown) => AbstractConnector {
  return class extends AbstractConnector {
    #turn = 0;

    constructor(options: unknown) {
      super((options as { readonly disconnectTimeout: number }).disconnectTimeout);
    }

    override connect(): Promise<Socket> {
      this.connecting = true;
      const host = hosts.all[this.#turn++ % hosts.all.length]!;
      const socket = tls === undefined ? createConnection({ ...host }) : connectTls({ ...host, ...tls });
      // ioredis listens from the next turn on, and asks for this if it is too late.
      socket.once('error', (error) => (this.firstError = error));
      this.stream = socket;
      return Promise.resolve(socket);
    }
  };
}
