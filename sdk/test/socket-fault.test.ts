import { toSocketIo } from '@mswjs/socket.io-binding';
import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { createChat as CreateChat } from '../src/index.ts';
import { POLICY } from './client-fixture.ts';

const service = ws.link('ws://service.test/*');
const server = setupServer();
let createChat: typeof CreateChat;

beforeAll(async () => {
  server.listen();
  // The build browsers get: it uses the global WebSocket, which can be played tricks on, and takes hold of it when
  // it is first imported. Other tests of this worker have the SDK with the build for Node, before and after.
  vi.doMock('engine.io-client', async () => {
    const { default: open } = await import('engine.io-client/dist/engine.io.js' as string);
    return {
      Socket: function (...args: unknown[]) {
        return open(...args) as object;
      },
    };
  });
  vi.resetModules();
  ({ createChat } = await import('../src/index.ts'));
});
afterAll(() => {
  server.close();
  vi.doUnmock('engine.io-client');
  vi.resetModules();
});

test('a socket that is closed right after session:ready is resumed with its token', async () => {
  const connections: unknown[] = [];
  const hellos: string[] = [];
  server.use(
    service.addEventListener('connection', (connection) => {
      const io = toSocketIo(connection);
      connections.push(connection);
      connection.client.addEventListener('message', ({ data }) => {
        if (typeof data === 'string' && data.startsWith('40')) hellos.push(data);
      });
      const resume = `r_${connections.length}`;
      const ready = { resume, recovered: false, policy: POLICY, now: 0, state: { status: 'idle' } };
      setTimeout(() => {
        io.client.emit('session:ready', ready as never);
        if (connections.length === 1) setTimeout(() => connection.client.close(), 20);
      }, 20);
    }),
  );
  await using chat = createChat({ url: 'http://service.test', site: 'pk_test_demo' });
  const seen: string[] = [];
  chat.subscribe(({ connection }) => {
    if (seen.at(-1) !== connection.status) seen.push(connection.status);
  });
  await chat.connect();
  await vi.waitFor(() => expect(seen).toEqual(['offline', 'connecting', 'connected', 'reconnecting', 'connected']), {
    timeout: 60_000,
  });
  expect(hellos).toEqual(['40{"version":1}', '40{"version":1,"resume":"r_1"}']);
});
