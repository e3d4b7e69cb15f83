import { toSocketIo } from '@mswjs/socket.io-binding';
import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { createChat as CreateChat } from '../src/index.ts';
import { POLICY } from './stage.ts';

// The build browsers get: it uses the global WebSocket, which can be played tricks on.
vi.mock('socket.io-client', async () => ({
  io: (await import('socket.io-client/dist/socket.io.js' as string)).default,
}));

const service = ws.link('ws://service.test/*');
const server = setupServer();
let createChat: typeof CreateChat;

beforeAll(async () => {
  server.listen();
  // socket.io-client takes hold of WebSocket when it is first imported.
  ({ createChat } = await import('../src/index.ts'));
});
afterAll(() => {
  server.close();
});

test('a service that closes the socket right after its first word is come back to, with the token it gave', async () => {
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
  await vi.waitFor(
    () => expect(seen).toEqual(['offline', 'connecting', 'connected', 'reconnecting', 'connected']),
    3_000,
  );
  expect(hellos).toEqual(['40{"version":1}', '40{"version":1,"resume":"r_1"}']);
});
