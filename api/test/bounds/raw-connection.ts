import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { ORIGIN, SHOP, until } from '../harness.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** TCP connection, byte for byte, that never closes by itself. */
export class RawConnection {
  readonly #socket: Socket;
  #received = '';
  #isClosed = false;
  #dribble: NodeJS.Timeout | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => (this.#received += chunk.toString('latin1')));
    // To be reset is to be closed, too.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#end());
    socket.on('end', () => this.#end());
  }

  static async open({ url }: { readonly url: string }): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    // Half open, so that only what the service does counts.
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** Connection that was upgraded to a WebSocket of Engine.IO, of the connection with that `sid` or of a new one. */
  static async upgraded(app: { readonly url: string }, sid?: string): Promise<RawConnection> {
    const connection = await RawConnection.open(app);
    const query = `EIO=4&transport=websocket&site=${SHOP.key}${sid === undefined ? '' : `&sid=${sid}`}`;
    connection.write(
      head(`GET ${SOCKET_PATH}?${query}`, [
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Extensions: permessage-deflate',
        `Sec-WebSocket-Key: ${KEY}`,
        `Origin: ${ORIGIN}`,
      ]),
    );
    await until(() => connection.received.includes('\r\n\r\n'), 'the upgrade is answered');
    return connection;
  }

  /** Everything received, as Latin-1. */
  get received(): string {
    return this.#received;
  }

  /** Returns whether the service closed it. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(data: string | Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(data);
  }

  /** Sends a byte every few milliseconds from now on, so that the connection is never silent. */
  dribble(byte: string): void {
    this.#dribble = setInterval(() => this.write(byte), 20);
  }

  /** Closes this side of the connection. */
  end(): void {
    this.#socket.end();
  }

  stopReading(): void {
    this.#socket.pause();
  }

  #end(): void {
    this.#isClosed = true;
    clearInterval(this.#dribble);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    this.#socket.destroy();
  }
}

/** Returns the head of a request. */
export function head(target: string, lines: readonly string[]): string {
  return `${[`${target} HTTP/1.1`, 'Host: service', ...lines].join('\r\n')}\r\n\r\n`;
}
