import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SocketIo } from './socket-io.ts';

let http: HttpServer;
let io: Server;
let url: string;
const opened: SocketIo[] = [];

beforeEach(async () => {
  http = createServer();
  io = new Server(http, { serveClient: false });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.close();
  await io.close();
});

interface Opened {
  readonly client: SocketIo;
  readonly events: unknown[][];
  readonly failures: unknown[];
}

function open(transport: 'websocket' | 'polling' = 'websocket', onEvent?: (confirm: () => void) => void): Opened {
  const events: unknown[][] = [];
  const failures: unknown[] = [];
  const client = new SocketIo({
    url,
    options: { path: '/socket.io', transports: [transport] },
    auth: { name: 'ada' },
    events: {
      open: () => undefined,
      event: (name, payload, confirm) => {
        events.push([name, payload]);
        onEvent?.(confirm);
      },
      closed: (failure) => failures.push(failure),
    },
  });
  opened.push(client);
  return { client, events, failures };
}

async function connected(...how: Parameters<typeof open>): Promise<Opened & { socket: Socket }> {
  const arriving = new Promise<Socket>((resolve) => io.once('connection', resolve));
  const client = open(...how);
  const socket = await arriving;
  await vi.waitFor(() => expect(client.client.isConnected).toBe(true), { timeout: 30_000 });
  return { ...client, socket };
}

describe.each(['websocket', 'polling'] as const)('over %s', (transport) => {
  it('connects with what it is to say, sends events, and gets those of the service in order', async () => {
    const { client, events, socket } = await connected(transport);
    expect(socket.handshake.auth).toEqual({ name: 'ada' });
    const heard: unknown[][] = [];
    socket.onAny((...args: unknown[]) => heard.push(args));
    client.emit('hello', { text: 'hi "there" \n 👋' });
    socket.emit('a', 1);
    socket.emit('b', { list: [] });
    socket.emit('c');
    await vi.waitFor(
      () =>
        expect(events).toEqual([
          ['a', 1],
          ['b', { list: [] }],
          ['c', undefined],
        ]),
      { timeout: 30_000 },
    );
    await vi.waitFor(() => expect(heard).toEqual([['hello', { text: 'hi "there" \n 👋' }]]), { timeout: 30_000 });
  });

  it('acknowledges an event that asks for it, and gets the answer to its own', async () => {
    const { client, socket } = await connected(transport, (confirm) => confirm());
    expect(await socket.timeout(30_000).emitWithAck('ready', {})).toBeUndefined();
    socket.on('ask', (payload: number, answer: (reply: unknown) => void) => answer({ twice: payload * 2 }));
    const replies = await Promise.all(
      [1, 2].map((n) => new Promise((resolve) => client.request('ask', n, 30_000, resolve))),
    );
    expect(replies).toEqual([{ twice: 2 }, { twice: 4 }]);
  });

  it('says why the service refuses it', async () => {
    io.use((_, next) => next(Object.assign(new Error('no'), { data: { code: 'banned' } })));
    const { client, failures } = open(transport);
    await vi.waitFor(() => expect(failures).toMatchObject([{ message: 'no', data: { code: 'banned' } }]), {
      timeout: 30_000,
    });
    expect(client.isConnected).toBe(false);
  });

  it('is closed once when the service goes', async () => {
    const { client, failures, socket } = await connected(transport);
    socket.disconnect(true);
    await vi.waitFor(() => expect(failures).toEqual([undefined]), { timeout: 30_000 });
    expect(client.isConnected).toBe(false);
  });
});

it('answers null to what is not answered in time, and to what is open when it is closed', async () => {
  const { client, failures } = await connected();
  const answer = (ms: number): Promise<unknown> => new Promise((resolve) => client.request('ask', 1, ms, resolve));
  expect(await answer(20)).toBeNull();
  // Longer than the test may take.
  const open = answer(600_000);
  client.close();
  expect(await open).toBeNull();
  expect(await answer(30_000)).toBeNull();
  expect(failures).toEqual([]);
});

it('sends nothing into a connection whose pings stopped while the page slept, and is closed', async () => {
  const { client, failures, socket } = await connected();
  const heard: unknown[] = [];
  socket.onAny((name: string) => heard.push(name));
  const afterSleep = Date.now() + 3_600_000;
  const clock = vi.spyOn(Date, 'now').mockReturnValue(afterSleep);
  try {
    client.emit('lost', 1);
    expect(await new Promise((resolve) => client.request('ask', 1, 5_000, resolve))).toBeNull();
  } finally {
    clock.mockRestore();
  }
  expect(failures).toEqual([undefined]);
  await vi.waitFor(() => expect(socket.connected).toBe(false), { timeout: 30_000 });
  expect(heard).toEqual([]);
});

it('tells the service that it goes', async () => {
  const { client, socket } = await connected();
  const gone = new Promise((resolve) => socket.once('disconnect', resolve));
  client.close();
  expect(await gone).toBe('client namespace disconnect');
});

it.each(['9', '2{"no":"list"}', '2[', '51-["binary",{"_placeholder":true,"num":0}]', '1', ''])(
  'is closed by the packet %j, which is the end or none of the protocol',
  async (packet) => {
    const { failures, socket } = await connected();
    (socket.conn as unknown as { write: (data: string) => void }).write(packet);
    await vi.waitFor(() => expect(failures).toHaveLength(1), { timeout: 30_000 });
  },
);
