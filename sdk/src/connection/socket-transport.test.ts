import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Claims } from '../options.ts';
import {
  ERRORS,
  FRAME_EVENT,
  type Frame,
  PROTOCOL_VERSION,
  type ResumeToken,
  type SiteKey,
} from '../protocol/index.ts';
import { connectSocket } from './socket-transport.ts';
import type { TransportConnection, TransportEvents, DisconnectReason, Push } from './transport.ts';

let http: HttpServer;
let io: Server;
let url: string;
const lines: TransportConnection[] = [];
/** Refusal of a handshake by `allowRequest`; `null` lets it in. */
let refusal: string | null = null;

beforeEach(async () => {
  http = createServer();
  refusal = null;
  io = new Server(http, {
    serveClient: false,
    allowRequest: (_request, answer) => {
      answer(refusal, refusal === null);
    },
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const line of lines.splice(0)) line.close();
  await io.close();
});

interface Dialled {
  readonly line: TransportConnection;
  readonly pushes: Push[];
  readonly losses: DisconnectReason[];
}

function connect(resume?: string, origin = 'http://localhost'): Dialled {
  const pushes: Push[] = [];
  const losses: DisconnectReason[] = [];
  const events: TransportEvents = { push: (push) => pushes.push(push), lost: (loss) => losses.push(loss) };
  const line = connectSocket({ url, site: 'pk_test_demo' as SiteKey, scope: '', origin })(
    resume as ResumeToken | undefined,
    events,
  );
  lines.push(line);
  return { line, pushes, losses };
}

/** The next visitor the service sees. */
function visitor(): Promise<Socket> {
  return new Promise((resolve) => io.once('connection', resolve));
}

/** A dialled line and the service's end of it, both up. */
async function connected(): Promise<Dialled & { socket: Socket }> {
  const arriving = visitor();
  const dialled = connect();
  const socket = await arriving;
  socket.emit('site:presence', { online: { min: 1, max: 9 } });
  await vi.waitFor(() => expect(dialled.pushes).toHaveLength(1), { timeout: 30_000 });
  return { ...dialled, socket };
}

const frame = {
  conversationId: 'c1',
  run: 'r',
  seq: 1,
  ack: 0,
  body: { kind: 'text', text: 'hi' },
} as unknown as Frame;

describe('handshake', () => {
  test('uses WebSocket with site, version, token and origin, and no cookie', async () => {
    const arriving = visitor();
    connect('r_token');
    const { conn, handshake } = await arriving;
    expect(conn.transport.name).toBe('websocket');
    expect(handshake.query['site']).toBe('pk_test_demo');
    expect(handshake.auth).toEqual({ version: PROTOCOL_VERSION, resume: 'r_token' });
    expect(handshake.headers.origin).toBe('http://localhost');
    expect(handshake.headers.cookie).toBeUndefined();
  });

  test('sends no empty token', async () => {
    const arriving = visitor();
    connect();
    expect((await arriving).handshake.auth).toEqual({ version: PROTOCOL_VERSION });
  });

  test('uses long-polling if WebSocket does not work', async () => {
    http.removeAllListeners('upgrade');
    http.on('upgrade', (_request, socket) => socket.destroy());
    const arriving = visitor();
    connect();
    const { conn, handshake } = await arriving;
    expect(conn.transport.name).toBe('polling');
    expect(handshake.headers.origin).toBe('http://localhost');
  });

  test('reports a refusal before a socket exists from the answer to long-polling', async () => {
    refusal = 'origin_refused';
    const { losses } = connect();
    await vi.waitFor(() => expect(losses).toHaveLength(1), { timeout: 30_000 });
    expect(losses[0]).toMatchObject({ kind: 'refused', error: { code: 'origin_refused' } });
  });

  test('reports a refusal of a middleware from its data', async () => {
    const data = { code: 'client_too_old', message: 'Load the current version.' };
    io.use((_socket, next) => {
      next(Object.assign(new Error('refused'), { data }));
    });
    const { losses } = connect();
    await vi.waitFor(() => expect(losses).toEqual([{ kind: 'refused', error: data }]), { timeout: 30_000 });
  });

  test('is lost once without a server', async () => {
    await io.close();
    const { losses } = connect();
    await vi.waitFor(() => expect(losses).toEqual([{ kind: 'lost' }]), { timeout: 30_000 });
  });
});

describe('requests', () => {
  test('resolve with the answer', async () => {
    const { line, socket } = await connected();
    socket.on('match:find', (payload, answer) => {
      answer({ ok: true, data: { status: payload.requestId === 'request-1' ? 'waiting' : 'matched' } });
    });
    const outcome = await line.request('match:find', { requestId: 'request-1' as never });
    expect(outcome).toEqual({ kind: 'answered', data: { status: 'waiting' } });
  });

  test('resolve with the refusal', async () => {
    const { line, socket } = await connected();
    const error = { code: 'rate_limited', message: 'Slow down.', retryAfterMs: 1 };
    socket.on('match:cancel', (_payload, answer) => answer({ ok: false, error }));
    expect(await line.request('match:cancel', {})).toEqual({ kind: 'refused', error });
  });

  test('pending when the connection is lost have an unknown outcome', async () => {
    const { line, socket, losses } = await connected();
    socket.on('match:cancel', () => socket.conn.close());
    expect(await line.request('match:cancel', {})).toEqual({ kind: 'unknown' });
    expect(losses).toEqual([{ kind: 'lost' }]);
  });

  test('pending when the connection is closed have an unknown outcome', async () => {
    const { line, losses } = await connected();
    const outcome = line.request('match:cancel', {});
    line.close();
    expect(await outcome).toEqual({ kind: 'unknown' });
    expect(losses).toEqual([]);
  });

  test('without an answer have an unknown outcome after the deadline of the contract', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { line } = await connected();
      const outcome = line.request('match:cancel', {});
      vi.advanceTimersByTime(5_000);
      expect(await outcome).toEqual({ kind: 'unknown' });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('pushes', () => {
  test('arrive with their name, and those of a newer service are ignored', async () => {
    const { socket, pushes } = await connected();
    socket.emit('brand:new', { x: 1 });
    socket.emit(FRAME_EVENT, frame);
    await vi.waitFor(() => expect(pushes).toHaveLength(2), { timeout: 30_000 });
    expect(pushes[1]).toEqual({ name: FRAME_EVENT, payload: frame });
  });

  test('confirm a start, every time', async () => {
    const { socket, pushes } = await connected();
    await socket.timeout(1_000).emitWithAck('conversation:started', {});
    await socket.timeout(1_000).emitWithAck('conversation:started', {});
    expect(pushes).toHaveLength(3);
  });

  test('are confirmed only after they were processed: a new token is stored before the old one is void', async () => {
    const arriving = visitor();
    const dialled = connectSocket({ url, site: 'pk_test_demo' as SiteKey, scope: '', origin: 'http://localhost' })(
      undefined,
      {
        // What is said while taking the push is on the wire before what is said after it.
        push: () => dialled.send(frame),
        lost: () => undefined,
      },
    );
    lines.push(dialled);
    const socket = await arriving;
    const packets: string[] = [];
    socket.conn.on('data', (packet: string) => packets.push(packet));
    socket.emit('session:ready', {}, () => undefined);
    await vi.waitFor(() => expect(packets).toHaveLength(2), { timeout: 30_000 });
    expect(packets[0]).toContain(FRAME_EVENT);
    expect(packets[1]).toMatch(/^3\d/);
  });

  test('are ignored after the connection is closed', async () => {
    const { line, socket, pushes, losses } = await connected();
    socket.emit(FRAME_EVENT, frame);
    line.close();
    line.close();
    await vi.waitFor(() => expect(io.of('/').sockets.size).toBe(0), { timeout: 30_000 });
    expect(pushes).toHaveLength(1);
    expect(losses).toEqual([]);
  });
});

describe('messages without a connection', () => {
  test('are never sent later: no old message reaches a new stranger', async () => {
    const heard: unknown[] = [];
    io.on('connection', (socket) => socket.onAny((...args) => heard.push(args)));
    const arriving = visitor();
    const { line } = connect();
    line.send(frame);
    expect(await line.request('match:cancel', {})).toEqual({ kind: 'unknown' });
    const socket = await arriving;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toEqual([]);
    socket.disconnect(true);
    line.send(frame);
    await connected();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toEqual([]);
  });

  test('leave no socket behind if the connection is closed while it opens', async () => {
    const { line, losses } = connect();
    line.close();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(io.of('/').sockets.size).toBe(0);
    expect(io.engine.clientsCount).toBe(0);
    expect(losses).toEqual([]);
  });
});

describe('claims', () => {
  const connectWith = (claims: Claims): Dialled => {
    const pushes: Push[] = [];
    const losses: DisconnectReason[] = [];
    const events: TransportEvents = { push: (push) => pushes.push(push), lost: (loss) => losses.push(loss) };
    const target = { url, site: 'pk_test_demo' as SiteKey, scope: '', origin: 'http://localhost', claims };
    const line = connectSocket(target)(undefined, events);
    lines.push(line);
    return { line, pushes, losses };
  };

  test.each([
    ['a string', 'a.b.c'],
    ['a function', () => 'a.b.c'],
    ['a function that promises', () => Promise.resolve('a.b.c')],
  ])('given as %s are sent with the handshake', async (_, claims) => {
    const arriving = visitor();
    connectWith(claims);
    expect((await arriving).handshake.auth).toEqual({ version: PROTOCOL_VERSION, claims: 'a.b.c' });
  });

  test('are requested anew for every connection', async () => {
    let count = 0;
    const target = { url, site: 'pk_test_demo' as SiteKey, scope: '', origin: 'http://localhost' };
    const redial = connectSocket({ ...target, claims: () => `token-${(count += 1)}` });
    for (const expected of ['token-1', 'token-2']) {
      const arriving = visitor();
      lines.push(redial(undefined, { push: () => undefined, lost: () => undefined }));
      expect((await arriving).handshake.auth['claims']).toBe(expected);
    }
  });

  test.each<[string, Claims]>([
    [
      'throws',
      () => {
        throw new Error('secret-canary');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret-canary'))],
    ['answers something else', () => undefined as never],
    ['answers more than the service reads', () => 'x'.repeat(2_001)],
  ])(
    'of a page whose function %s are a refusal, told without a connection and without its words',
    async (_, claims) => {
      const { losses } = connectWith(claims);
      await vi.waitFor(() => expect(losses).toHaveLength(1), { timeout: 30_000 });
      expect(losses).toEqual([
        { kind: 'refused', error: { code: 'claims_refused', message: ERRORS.claims_refused.message } },
      ]);
      expect(io.engine.clientsCount).toBe(0);
    },
  );

  test('that arrive after the connection was closed open nothing', async () => {
    let answer = (_claims: string): void => undefined;
    const { line, losses } = connectWith(() => new Promise((resolve) => (answer = resolve)));
    line.close();
    answer('a.b.c');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(io.engine.clientsCount).toBe(0);
    expect(losses).toEqual([]);
  });
});
