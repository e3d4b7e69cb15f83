import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SiteKey } from '../protocol/index.ts';
import { connectSocket } from './socket-transport.ts';
import type { DisconnectReason, Push, RequestOutcome, TransportConnection } from './transport.ts';

let http: HttpServer;
let sockets: WebSocketServer;
let url: string;
let line: TransportConnection | undefined;
const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);

beforeEach(async () => {
  uncaught.length = 0;
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
  http = createServer((_request, response) => response.writeHead(400).end());
  sockets = new WebSocketServer({ server: http });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(async () => {
  line?.close();
  for (const socket of sockets.clients) socket.terminate();
  http.closeAllConnections();
  http.close();
  process.off('uncaughtException', note);
  process.off('unhandledRejection', note);
});

const HANDSHAKE = `0${JSON.stringify({ sid: 'x', upgrades: [], pingInterval: 300, pingTimeout: 300, maxPayload: 1e6 })}`;

/** A service that speaks the protocol as it likes. `onPacket` gets each packet of the client. */
async function against(
  onPacket: (packet: string, say: (packet: string | Buffer) => void, socket: WebSocket) => void,
): Promise<{
  readonly pushes: Push[];
  readonly losses: DisconnectReason[];
  readonly request: () => Promise<RequestOutcome<'session:check'>>;
}> {
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.send(HANDSHAKE);
    socket.on('message', (data: Buffer) => onPacket(data.toString(), (packet) => socket.send(packet), socket));
  });
  const pushes: Push[] = [];
  const losses: DisconnectReason[] = [];
  const own = connectSocket({ url, site: 'pk_test_demo' as SiteKey, scope: '', origin: 'http://localhost' }, 500)(
    undefined,
    {
      push: (push) => pushes.push(push),
      lost: (loss) => losses.push(loss),
    },
  );
  line = own;
  return { pushes, losses, request: () => own.request('session:check', {}) };
}

const READY = '42["site:presence",{"online":{"min":1,"max":9}}]';
const welcome = (say: (packet: string) => void): void => {
  say('40{"sid":"y"}');
  say(READY);
};

it.each([
  ['no reply', '[]'],
  ['null', '[null]'],
  ['a number', '[42]'],
  ['a text', '["ok"]'],
  ['a list', '[[]]'],
  ['an empty reply', '[{}]'],
  ['a refusal without its error', '[{"ok":false}]'],
  ['a refusal with an empty error', '[{"ok":false,"error":null}]'],
  ['success without data', '[{"ok":true}]'],
])('settles a request that is answered with %s', async (_, reply) => {
  const { pushes, request } = await against((packet, say) => {
    if (packet.startsWith('40')) welcome(say);
    const id = /^42(\d+)/.exec(packet)?.[1];
    if (id !== undefined) say(`43${id}${reply}`);
  });
  await vi.waitFor(() => expect(pushes).toHaveLength(1), { timeout: 10_000 });
  const outcome = await Promise.race([request(), new Promise((resolve) => setTimeout(resolve, 1_000, 'hangs'))]);
  expect({ outcome, uncaught }).toEqual({ outcome: { kind: 'unknown' }, uncaught: [] });
});

it.each([
  [
    'unknown ids, twice, out of order',
    (id: number) => [
      `43999[{}]`,
      `43${id + 1}[{}]`,
      `43[{}]`,
      `4300[{}]`,
      `43${id}[{"ok":true,"data":{"status":"here"}}]`,
      `43${id}[{"ok":false}]`,
    ],
  ],
  ['a second CONNECT', (id: number) => ['40{"sid":"z"}', `43${id}[{"ok":true,"data":{"status":"here"}}]`]],
  [
    'names of prototypes',
    (id: number) => [
      '42["__proto__",{}]',
      '42["constructor",{}]',
      '42["hasOwnProperty"]',
      `43${id}[{"ok":true,"data":{"status":"here"}}]`,
    ],
  ],
])('answers a request among %s', async (_, packets) => {
  const { pushes, losses, request } = await against((packet, say) => {
    if (packet.startsWith('40')) welcome(say);
    const id = /^42(\d+)/.exec(packet)?.[1];
    if (id !== undefined) for (const each of packets(Number(id))) say(each);
  });
  await vi.waitFor(() => expect(pushes).toHaveLength(1), { timeout: 10_000 });
  expect(await request()).toEqual({ kind: 'answered', data: { status: 'here' } });
  expect({ losses, uncaught }).toEqual({ losses: [], uncaught: [] });
});

it.each([
  ['CONNECT_ERROR', '44{"message":"no","data":{"code":"banned","message":"no"}}'],
  ['CONNECT_ERROR of nothing', '44'],
  ['DISCONNECT', '41'],
  ['another namespace', '40/admin,{"sid":"q"}'],
  ['an event of another namespace', '42/admin,["x"]'],
  ['malformed JSON', '42["x"'],
  ['a binary event', '451-["x",{"_placeholder":true,"num":0}]'],
  ['a frame of bytes', Buffer.from('x')],
  ['an unknown Engine.IO type', '9'],
  ['nothing', ''],
  ['an Engine.IO close', '1'],
  ['an Engine.IO open twice', HANDSHAKE],
  ['an event without a name', '42[]'],
  ['an event of a number', '42[7,{}]'],
  ['a push without payload', '42["session:ready"]'],
  ['a push of null', '42["conversation:started",null]'],
  ['a push of a text', '42["conversation:frame","x"]'],
])('lives on or is lost once after %s, with every request settled', async (_, packet) => {
  const { pushes, losses, request } = await against((received, say) => {
    if (received.startsWith('40')) welcome(say);
    if (received.startsWith('42')) say(packet);
  });
  await vi.waitFor(() => expect(pushes.length).toBeGreaterThan(0), { timeout: 10_000 });
  void request();
  await new Promise((resolve) => setTimeout(resolve, 200));
  // The service says nothing, not even pings.
  await vi.waitFor(() => expect(losses).toHaveLength(1), { timeout: 10_000 });
  expect(await request()).toEqual({ kind: 'unknown' });
  // What has no payload is not handed on.
  expect(pushes.filter(({ name }) => name !== 'site:presence')).toEqual([]);
  expect(uncaught).toEqual([]);
});

it.each([
  ['at once', (socket: WebSocket) => socket.terminate(), '^40'],
  ['on CONNECT, politely', (socket: WebSocket) => socket.close(), '^40'],
  ['on the first request', (socket: WebSocket) => socket.terminate(), '^42'],
])('is lost once when the service ends %s', async (_, end, on) => {
  const { losses, request } = await against((packet, say, socket) => {
    if (packet.startsWith('40') && on !== '^40') welcome(say);
    if (new RegExp(on).test(packet)) end(socket);
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await request()).toEqual({ kind: 'unknown' });
  await vi.waitFor(() => expect(losses).toHaveLength(1), { timeout: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect({ losses, uncaught }).toEqual({ losses: [{ kind: 'lost' }], uncaught: [] });
});

it.each([
  ['before the handshake', () => undefined, true],
  ['before CONNECT is answered', () => undefined, false],
])('is lost once where a service is silent %s', async (_, __, isBefore) => {
  const losses: DisconnectReason[] = [];
  if (isBefore) sockets.on('connection', () => undefined);
  else sockets.on('connection', (socket) => socket.send(HANDSHAKE));
  line = connectSocket({ url, site: 'pk_test_demo' as SiteKey, scope: '', origin: 'http://localhost' }, 500)(
    undefined,
    {
      push: () => undefined,
      lost: (loss) => losses.push(loss),
    },
  );
  await vi.waitFor(() => expect(losses).toHaveLength(1), { timeout: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect({ losses, uncaught }).toEqual({ losses: [{ kind: 'lost' }], uncaught: [] });
});
