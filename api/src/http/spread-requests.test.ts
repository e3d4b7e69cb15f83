import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FairScheduler } from '../rate-limiting/fair-scheduler.ts';
import { spreadRequests } from './spread-requests.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** Server whose responses take `takesMs` each, with the turns in which it began them. */
async function serving(takesMs: number) {
  const turns = new FairScheduler(0);
  const begun: number[] = [];
  const server = createServer((_, response) => {
    begun.push(turns.turn);
    const until = performance.now() + takesMs;
    while (performance.now() < until);
    response.end('ok');
  });
  servers.push(server);
  spreadRequests(server, turns);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { begun, port: (server.address() as AddressInfo).port };
}

const ask = (port: number) =>
  new Promise<number>((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
    }).on('error', reject);
  });

describe('S29 simultaneous requests', () => {
  it('are all answered, one in a turn if each takes longer than that', async () => {
    const { begun, port } = await serving(2);
    expect(await Promise.all(Array.from({ length: 20 }, () => ask(port)))).toEqual(Array(20).fill(200));
    expect(new Set(begun).size).toBe(20);
  });

  it('are not answered once their connection is gone', async () => {
    const turns = new FairScheduler();
    const answered: unknown[] = [];
    const server = createServer((request) => answered.push(request));
    spreadRequests(server, turns);
    // Somebody waits, so that all of these have to.
    turns.wait({ doNext: () => false });
    const [gone, here] = [{ socket: { destroyed: false } }, { socket: { destroyed: false } }];
    server.emit('request', gone, {});
    server.emit('request', here, {});
    gone.socket.destroyed = true;
    while (answered.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(answered).toEqual([here]);
  });
});
