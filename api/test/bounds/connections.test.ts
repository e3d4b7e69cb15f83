import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from '../../src/limits/connection-limits.ts';
import { assertTalking, ORIGIN, pairOf, SHOP, startTestApp, until } from '../harness.ts';
import { PollingVisitor } from './polling-visitor.ts';
import { head, RawConnection } from './raw-connection.ts';
import { RawVisitor } from './raw-visitor.ts';
import { OPCODE, webSocketFrame } from './web-socket-frame.ts';

/** Times a test can wait for, and still long enough for a busy machine to serve an honest visitor. */
const SHORT = { headMs: 600, requestMs: 600, overdueCheckMs: 50, joinMs: 600, closeMs: 200 } as const;

/** Runs a service with healthy pairs on both transports, which talk before, during and after. */
async function whilePairsTalk(
  bounds: Partial<ConnectionLimits>,
  attack: (app: App, talk: () => Promise<void>) => Promise<void>,
) {
  await using app = await startTestApp({ bounds });
  await using one = await pairOf(app);
  await using other = await pairOf(app, { transports: ['polling'] });
  let seq = 0;
  const talk = async () => {
    seq += 1;
    await assertTalking(one, seq);
    await assertTalking(other, seq);
  };
  await talk();
  await attack(app, talk);
  await talk();
  expect(app.held()).toMatchObject({ connections: 4, sockets: 4, seats: 4 });
}

/** HTTP server of a service, as Node exposes it. */
async function serverOf(app: App): Promise<Server> {
  const servers: Server[] = [];
  const see = (message: unknown) => void servers.push((message as { server: Server }).server);
  subscribe('http.server.request.start', see);
  const response = await fetch(`${app.url}/healthz`, { headers: { Connection: 'close' } });
  await response.text();
  unsubscribe('http.server.request.start', see);
  return servers[0]!;
}

describe('S4 closes a connection that', () => {
  test.each<[string, (connection: RawConnection) => void]>([
    ['says nothing', () => undefined],
    [
      'sends its head byte by byte',
      (connection) => {
        connection.write('GET /healthz HTTP/1.1\r\nX-Long: ');
        connection.dribble('x');
      },
    ],
    [
      'begins a second head and does not end it',
      (connection) => connection.write(`${head('GET /healthz', [])}GET /hea`),
    ],
  ])('%s: it is told 408', async (_, attack) => {
    await whilePairsTalk({ headMs: SHORT.headMs, overdueCheckMs: SHORT.overdueCheckMs }, async (app, talk) => {
      await using connection = await RawConnection.open(app);
      attack(connection);
      await talk();
      await until(() => connection.isClosed, 'it is closed');
      expect(connection.received).toContain('HTTP/1.1 408 ');
    });
  });

  test('sends a body that never ends', async () => {
    await whilePairsTalk(SHORT, async (app, talk) => {
      await using connection = await RawConnection.open(app);
      connection.write(head('POST /healthz', ['Content-Length: 60000']));
      connection.dribble('x');
      await talk();
      await until(() => connection.isClosed, 'it is closed');
      expect(connection.received).toContain('HTTP/1.1 405 ');
    });
  });

  test('sends a megabyte of headers, with 431', async () => {
    await whilePairsTalk({}, async (app) => {
      await using connection = await RawConnection.open(app);
      connection.write(`GET /healthz HTTP/1.1\r\nX-Huge: ${'x'.repeat(1_000_000)}`);
      await until(() => connection.isClosed, 'it is closed');
      expect(connection.received).toMatch(/^HTTP\/1\.1 431 /);
    });
  });

  test('requests an upgrade at another address', async () => {
    await whilePairsTalk({}, async (app) => {
      await using connection = await RawConnection.open(app);
      connection.write(head('GET /elsewhere', ['Connection: Upgrade', 'Upgrade: websocket']));
      await until(() => connection.isClosed, 'it is closed');
    });
  });

  test.each([
    ['a file', head('GET /widget.js', [])],
    ['a handshake', head(`GET ${SOCKET_PATH}?EIO=4&transport=polling&site=${SHOP.key}`, [`Origin: ${ORIGIN}`])],
  ])('requests %s again before it was answered', async (_, request) => {
    await whilePairsTalk({ joinMs: SHORT.joinMs, closeMs: SHORT.closeMs }, async (app) => {
      await using connection = await RawConnection.open(app);
      connection.write(request.repeat(2));
      await until(() => connection.isClosed, 'it is closed');
      expect(connection.received.split('HTTP/1.1 ').length).toBeLessThan(3);
      await until(() => app.held().connections === 4, 'nothing of it is left');
    });
  });

  test('does not read its answer', async () => {
    await using app = await startTestApp({ bounds: { stillMs: 600 } });
    await using pair = await pairOf(app);
    await using visitor = await PollingVisitor.arrive(app);
    await expect(visitor.pollFor('what never comes')).rejects.toThrow('socket hang up');
    await until(() => app.held().connections === 2, 'it is gone');
    await assertTalking(pair, 1);
  });

  test('stays idle after its answer', async () => {
    await whilePairsTalk({ keepAliveMs: 100 }, async (app) => {
      await using connection = await RawConnection.open(app);
      connection.write(head('GET /healthz', []));
      await until(() => connection.received.startsWith('HTTP/1.1 200 '), 'it is answered');
      await until(() => connection.isClosed, 'it is closed');
    });
  });

  test('exceeds the limit', async () => {
    await using app = await startTestApp({ bounds: { connectionsMax: 3 } });
    await using pair = await pairOf(app);
    await using third = await RawConnection.open(app);
    await using fourth = await RawConnection.open(app);
    await until(() => fourth.isClosed, 'it is closed');
    expect(third.isClosed).toBe(false);
    await assertTalking(pair, 1);
  });
});

describe('S4 disconnects a visitor who', () => {
  test('opens a WebSocket and never joins, even without acknowledging the close', async () => {
    await whilePairsTalk(SHORT, async (app, talk) => {
      await using connection = await RawConnection.upgraded(app);
      expect(app.held().connections).toBe(5);
      await talk();
      await until(() => connection.isClosed, 'it is closed');
    });
  });

  test('opens a WebSocket and is refused repeatedly', async () => {
    await whilePairsTalk(SHORT, async (app) => {
      await using connection = await RawConnection.upgraded(app);
      const again = setInterval(() => connection.write(webSocketFrame(OPCODE.text, '40{"version":0}')), 20);
      await until(() => connection.isClosed, 'it is closed').finally(() => clearInterval(again));
      expect(connection.received).toContain('client_too_old');
    });
  });

  test('begins long-polling and never joins', async () => {
    await whilePairsTalk(SHORT, async (app) => {
      await using visitor = await PollingVisitor.connect(app);
      expect(app.held().connections).toBe(5);
      await until(() => app.held().connections === 4, 'it is gone');
      await expect(visitor.poll()).rejects.toThrow('Session ID unknown');
    });
  });

  test('leaves and keeps the connection open', async () => {
    await whilePairsTalk(SHORT, async (app) => {
      await using visitor = await RawVisitor.arrive(app);
      visitor.webSocket.send('41');
      await visitor.closed;
    });
  });

  test('sends a long-polling request whose body never ends', async () => {
    await whilePairsTalk(SHORT, async (app, talk) => {
      await using visitor = await PollingVisitor.arrive(app);
      await using connection = await RawConnection.open(app);
      const query = `EIO=4&transport=polling&site=${SHOP.key}&sid=${visitor.sid}`;
      connection.write(head(`POST ${SOCKET_PATH}?${query}`, [`Origin: ${ORIGIN}`, 'Content-Length: 60000']));
      connection.dribble('x');
      await talk();
      await until(() => connection.isClosed, 'it is closed');
      await until(() => app.held().connections === 4, 'it is gone');
    });
  });
});

test('closes a WebSocket upgrade that is never completed, and keeps the visitor', async () => {
  await using app = await startTestApp({ bounds: SHORT });
  await using visitor = await PollingVisitor.arrive(app);
  await using connection = await RawConnection.upgraded(app, visitor.sid);
  connection.write(webSocketFrame(OPCODE.text, '2probe'));
  await until(() => connection.isClosed, 'it is closed');
  await visitor.post(visitor.request('match:cancel', {}));
  await visitor.pollFor('cancelled');
});

test('applies these limits by default', async () => {
  await using app = await startTestApp();
  expect(await serverOf(app)).toMatchObject({
    headersTimeout: CONNECTION_LIMITS.headMs,
    requestTimeout: CONNECTION_LIMITS.requestMs,
    connectionsCheckingInterval: CONNECTION_LIMITS.overdueCheckMs,
    keepAliveTimeout: CONNECTION_LIMITS.keepAliveMs,
    timeout: CONNECTION_LIMITS.stillMs,
    maxConnections: CONNECTION_LIMITS.connectionsMax,
    maxHeaderSize: CONNECTION_LIMITS.headMaxBytes,
  });
});
