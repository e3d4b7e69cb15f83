import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer as createBox, type Server as BoxServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { Server } from 'socket.io';
import { io as client } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AwakeTimer } from '../src/internal/awake-timer.ts';
import type { SiteKey } from '../src/protocol/index.ts';
import { connectSocket } from '../src/connection/socket-transport.ts';
import type { ConnectTransport, TransportConnection, DisconnectReason } from '../src/connection/transport.ts';

/** Effects of a middlebox on a WebSocket; plain requests pass. */
type Box =
  | 'lets pass'
  | 'refuses'
  | 'swallows the handshake'
  | 'swallows all after the handshake'
  | 'swallows what the visitor sends';

const SILENCE_MS = 200;
/** Timeout for tests without a silent connection. */
const LONG_MS = 30_000;

let http: HttpServer;
let service: Server;
let box: BoxServer;
let mode: Box;
/** Connections that the middlebox has silenced. */
let isDown: boolean;
let port: number;
let url: string;
const lines: TransportConnection[] = [];
const sockets = new Set<Socket>();
/** Transport of each visitor. */
let arrived: string[];
/** Requests through the middlebox. */
let asked: string[];

beforeEach(async () => {
  mode = 'lets pass';
  isDown = false;
  arrived = [];
  asked = [];
  http = createServer();
  service = new Server(http, { serveClient: false });
  service.on('connection', (socket) => {
    arrived.push(socket.conn.transport.name);
    socket.emit('session:ready', {});
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  ({ port } = http.address() as AddressInfo);
  box = createBox(pass);
  await new Promise<void>((resolve) => box.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(box.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const line of lines.splice(0)) line.close();
  await service.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => box.close(resolve));
});

function pass(near: Socket): void {
  keep(near);
  near.once('data', (head: Buffer) => {
    const isSocket = /upgrade: *websocket/i.test(head.toString('latin1'));
    asked.push(isSocket ? 'websocket' : 'polling');
    if (isDown) {
      near.destroy();
      return;
    }
    if (isSocket && mode === 'refuses') {
      near.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    if (isSocket && mode === 'swallows the handshake') return;
    const far = keep(connect(port, '127.0.0.1'));
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    far.write(head);
    if (isSocket && mode === 'swallows all after the handshake') {
      far.once('data', (answer: Buffer) => near.write(answer.subarray(0, answer.indexOf('\r\n\r\n') + 4)));
    } else pipeline(far, near, closed);
    if (!isSocket || mode !== 'swallows what the visitor sends') pipeline(near, far, closed);
  });
}

/** Ties both sides: either may close at any moment, and closes the other one. */
const closed = (): void => undefined;

function keep(socket: Socket): Socket {
  sockets.add(socket);
  // A box closes its two sides whenever one of them goes, in whatever way.
  socket.on('error', () => socket.destroy());
  socket.once('close', () => sockets.delete(socket));
  return socket;
}

function dialler(silenceMs: number): ConnectTransport {
  return connectSocket({ url, site: 'pk_test_demo' as SiteKey, scope: '', origin: 'http://localhost' }, silenceMs);
}

/** Resolves once the service has sent something on a new connection, or with the loss of it. */
function outcome(dial: ConnectTransport): Promise<'up' | DisconnectReason> {
  return new Promise((resolve) => {
    lines.push(dial(undefined, { push: () => resolve('up'), lost: resolve }));
  });
}

describe('if a middlebox', () => {
  test('passes a WebSocket, no other transport is tried', async () => {
    const dial = dialler(LONG_MS);
    expect(await outcome(dial)).toBe('up');
    expect(await outcome(dial)).toBe('up');
    expect(arrived).toEqual(['websocket', 'websocket']);
    expect(asked).toEqual(['websocket', 'websocket']);
  });

  test('refuses a WebSocket, long-polling is tried at once', async () => {
    mode = 'refuses';
    expect(await outcome(dialler(LONG_MS))).toBe('up');
    expect(arrived).toEqual(['polling']);
  });

  test.each<Box>(['swallows the handshake', 'swallows all after the handshake', 'swallows what the visitor sends'])(
    '%s, long-polling is tried after some silence, and at once from then on',
    async (what) => {
      mode = what;
      const dial = dialler(SILENCE_MS);
      expect(await outcome(dial)).toBe('up');
      expect(arrived).toEqual(['polling']);
      asked.length = 0;
      expect(await outcome(dial)).toBe('up');
      expect(arrived).toEqual(['polling', 'polling']);
      expect(asked).not.toContain('websocket');
    },
  );

  test('drops everything for a while, WebSocket stays the first choice', async () => {
    const dial = dialler(LONG_MS);
    isDown = true;
    expect(await outcome(dial)).toEqual({ kind: 'lost' });
    expect(asked).toEqual(['websocket', 'polling']);
    isDown = false;
    expect(await outcome(dial)).toBe('up');
    expect(arrived).toEqual(['websocket']);
  });

  test('begins to drop WebSockets that worked before, long-polling is used, and WebSocket is tried again', async () => {
    const dial = dialler(SILENCE_MS);
    expect(await outcome(dial)).toBe('up');
    mode = 'swallows the handshake';
    expect(await outcome(dial)).toBe('up');
    mode = 'lets pass';
    expect(await outcome(dial)).toBe('up');
    expect(arrived).toEqual(['websocket', 'polling', 'websocket']);
  });
});

test('a transport that has worked gets twice the time, since the service is probably slow', async () => {
  const waited = vi.spyOn(AwakeTimer.prototype, 'start');
  const dial = dialler(LONG_MS);
  await outcome(dial);
  expect(new Set(waited.mock.calls.map(([delayMs]) => delayMs))).toEqual(new Set([LONG_MS]));
  waited.mockClear();
  await outcome(dial);
  expect(new Set(waited.mock.calls.map(([delayMs]) => delayMs))).toEqual(new Set([2 * LONG_MS]));
});

test('WebSocket is tried after long-polling if that worked first and no longer does', async () => {
  const dial = dialler(LONG_MS);
  mode = 'refuses';
  expect(await outcome(dial)).toBe('up');
  mode = 'lets pass';
  service.engine.opts.allowRequest = (request: { headers: object }, answer: (no: null, isLetIn: boolean) => void) =>
    answer(null, 'upgrade' in request.headers);
  expect(await outcome(dial)).toBe('up');
  expect(arrived).toEqual(['polling', 'websocket']);
});

test('a connection that was closed during an attempt tries nothing more', async () => {
  mode = 'swallows the handshake';
  const lost = vi.fn();
  const line = dialler(SILENCE_MS)(undefined, { push: () => undefined, lost });
  await vi.waitFor(() => expect(asked).toEqual(['websocket']), { timeout: 60_000 });
  line.close();
  await new Promise((resolve) => setTimeout(resolve, 2 * SILENCE_MS));
  expect(asked).toEqual(['websocket']);
  expect(lost).not.toHaveBeenCalled();
});

test('long-polling is tried at once if a WebSocket cannot be created', async () => {
  const probe = client(url, { transports: ['websocket'], reconnection: false, forceNew: true });
  const Transport = Object.getPrototypeOf(probe.io.engine.transport) as { createSocket: () => unknown };
  probe.disconnect();
  const made = vi.spyOn(Transport, 'createSocket').mockImplementation(() => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  });
  onTestFinished(() => made.mockRestore());
  const dial = dialler(LONG_MS);
  expect(await outcome(dial)).toBe('up');
  expect(await outcome(dial)).toBe('up');
  expect(made).toHaveBeenCalledOnce();
  expect(arrived).toEqual(['polling', 'polling']);
});
