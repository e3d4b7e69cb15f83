import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { head } from '../../bounds/raw-connection.ts';
import { OPCODE, webSocketFrame } from '../../bounds/web-socket-frame.ts';
import { comesTrue, pause } from '../patience.ts';
import { ORIGIN, SHOP } from '../../harness.ts';
import type { Disturbance, DisturbedResource, Extent } from './disturbance.ts';

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  `Origin: ${ORIGIN}`,
];
const socketPath = (transport: string) => `${SOCKET_PATH}?EIO=4&transport=${transport}&site=${SHOP.key}`;
const WEB_SOCKET = head(`GET ${socketPath('websocket')}`, UPGRADE);

interface Exchange {
  readonly port: 'main' | 'metrics';
  /** Data to send, split at the points where an answer must have arrived. */
  readonly parts: readonly (string | Buffer)[];
}

const EXCHANGES = {
  'an HTTP connection': { port: 'main', parts: [head('GET /healthz', [])] },
  'an HTTP request with a body': {
    port: 'main',
    parts: [`${head('POST /v1/site', ['Content-Type: application/json', 'Content-Length: 2'])}{}`],
  },
  'an upgrade elsewhere': { port: 'main', parts: [head('GET /elsewhere', UPGRADE)] },
  'an upgrade': { port: 'main', parts: [WEB_SOCKET] },
  'a CONNECT request': { port: 'main', parts: ['CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n'] },
  'a polling request': { port: 'main', parts: [head(`GET ${socketPath('polling')}`, [`Origin: ${ORIGIN}`])] },
  'a WebSocket': { port: 'main', parts: [WEB_SOCKET, webSocketFrame(OPCODE.text, '40{"version":1}')] },
  'a static file': { port: 'main', parts: [head('GET /passerby-chat.js', [])] },
  'a precompressed static file': { port: 'main', parts: [head('GET /passerby-chat.js', ['Accept-Encoding: br'])] },
  'the metrics port': { port: 'metrics', parts: [head('GET /metrics', [])] },
  'an upgrade at the metrics port': { port: 'metrics', parts: [head('GET /metrics', UPGRADE)] },
} as const satisfies Record<string, Exchange>;

/** Connections that strangers can open to the service. */
export const CLIENT_CONNECTIONS = Object.keys(EXCHANGES) as readonly (keyof typeof EXCHANGES)[];

/** Connections of strangers to a service at these two addresses. */
export function clientConnection(
  name: keyof typeof EXCHANGES,
  urls: Readonly<Record<Exchange['port'], string>>,
): DisturbedResource {
  const { port, parts } = EXCHANGES[name];
  return new ClientConnection(name, urls[port], parts);
}

/** Bytes of no protocol that the service supports. */
const GARBAGE = Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0xc3, 0x28, 0x00, 0xfe]);
/** Number of bytes that a slow client sends, and reads, at once. */
const SLOW_BYTES = 16;

class ClientConnection implements DisturbedResource {
  readonly name: string;
  readonly #hostname: string;
  readonly #port: number;
  readonly #parts: readonly (string | Buffer)[];

  constructor(name: string, url: string, parts: readonly (string | Buffer)[]) {
    this.name = name;
    const { hostname, port } = new URL(url);
    this.#hostname = hostname;
    this.#port = Number(port);
    this.#parts = parts;
  }

  async disturb(disturbance: Disturbance, extent: Extent, whileDisturbed: () => Promise<void>): Promise<void> {
    if (disturbance === 'gone and back') {
      for (let times = 1; times <= 3; times++) {
        const sockets = await this.#openMany(extent.connections);
        await Promise.all(sockets.map((socket) => this.#request(socket)));
        for (const socket of sockets) socket.destroySoon();
      }
      await whileDisturbed();
      return;
    }
    const sockets = await this.#openMany(extent.connections);
    try {
      await Promise.all(sockets.map((socket) => this.#misuse(socket, disturbance)));
      await whileDisturbed();
      if (disturbance === 'silent' || disturbance === 'slow') await pause(extent.lastsMs);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  }

  async #misuse(socket: Socket, disturbance: Exclude<Disturbance, 'gone and back'>): Promise<void> {
    const whole = Buffer.concat(this.#parts.map((part) => Buffer.from(part)));
    switch (disturbance) {
      case 'reset':
        socket.write(whole);
        // In the next turn, so that the request is there and its answer is not.
        setImmediate(() => socket.resetAndDestroy());
        return;
      case 'half-closed':
        await this.#request(socket);
        socket.end();
        return;
      case 'silent':
        socket.write(whole.subarray(0, whole.length / 2));
        return;
      case 'slow':
        for (let from = 0; from < whole.length && socket.writable; from += SLOW_BYTES) {
          socket.write(whole.subarray(from, from + SLOW_BYTES));
          socket.pause();
          await pause(1);
          socket.read(SLOW_BYTES);
        }
        return;
      case 'failing midway':
        await this.#request(socket);
        if (!socket.writable) return;
        socket.write(Buffer.concat([GARBAGE, whole.subarray(0, 20), GARBAGE]));
    }
  }

  /** Sends all of it, each part once the one before was answered or the connection has ended. */
  async #request(socket: Socket): Promise<void> {
    for (const part of this.#parts) {
      let isAnswered = false;
      const answered = () => (isAnswered = true);
      for (const event of ['data', 'close', 'end'] as const) socket.once(event, answered);
      socket.write(part);
      await comesTrue(() => isAnswered || socket.destroyed, ANSWER_MS);
      for (const event of ['data', 'close', 'end'] as const) socket.off(event, answered);
      if (!isAnswered && !socket.destroyed) throw new Error(`${this.name}: no answer came`);
    }
  }

  #openMany(count: number): Promise<Socket[]> {
    return Promise.all(Array.from({ length: count }, () => this.#open()));
  }

  async #open(): Promise<Socket> {
    const socket = connect({ host: this.#hostname, port: this.#port, allowHalfOpen: true });
    // A reset by the service is one of its answers.
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }
}

/** Maximum time for an answer on a very busy machine. Milliseconds. */
const ANSWER_MS = 30_000;
