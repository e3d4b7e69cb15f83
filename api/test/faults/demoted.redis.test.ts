import type { Readiness } from '@passerby/sdk/protocol';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { redisBackend } from '../../src/redis-backend.ts';
import { Heartbeat } from '../../src/cluster/heartbeat.ts';
import { StoreWatch } from '../../src/observability/store-standing.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { keyOf } from '../../src/state/redis/keys.ts';
import { listLog, pairOf, SHOP, startTestApp } from '../harness.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { NODES } from '../store-contract.ts';
import { TcpProxy } from './tcp-proxy.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };

describe('demoted master', () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let admin: Redis;
  beforeEach(async () => {
    server = await RedisServer.start();
    proxy = await TcpProxy.start(server.port);
    admin = new Redis(server.url);
  });
  afterEach(async () => {
    admin.disconnect();
    await proxy.stop();
    await server.stop();
  });
  const demote = () => admin.replicaof('127.0.0.1', '1');
  const promote = () => admin.replicaof('NO', 'ONE');

  test.each([
    ['a site has visitors', [SHOP.id]],
    ['nobody is there', []],
  ])('is the only reason, however often the connection is replaced, if %s', async (_, sites) => {
    const backend = await redisBackend(parseRedisUrl(server.url), new Metrics(), listLog());
    const heartbeat = new Heartbeat({
      beat: (site) => backend.store.heartbeat(site, NODES[0]!),
      sites: () => sites,
      faultOf: (thrown) => backend.faultOf(thrown),
      everyMs: 5,
    });
    const ignore = () => undefined;
    const watch = new StoreWatch({ backend, heartbeat, onFailure: ignore, onMissingRight: ignore });
    const standing = async () => JSON.stringify(await watch.standing());
    const demoted = JSON.stringify({ isAvailable: false, faults: ['READONLY'] });
    await expect.poll(standing, PATIENCE).toBe(JSON.stringify({ isAvailable: true, faults: [] }));
    await demote();
    await expect.poll(standing, PATIENCE).toBe(demoted);
    const connections = async () => {
      const [, received] = /^total_connections_received:(\d+)/m.exec(await admin.info('stats')) ?? [];
      return Number(received);
    };
    const seen = new Set<string>();
    for (const before = await connections(); (await connections()) < before + 3;) {
      for (let looks = 0; looks < 20; looks++) {
        seen.add(await standing());
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect([...seen]).toEqual([demoted]);
    await promote();
    await expect.poll(standing, PATIENCE).toBe(JSON.stringify({ isAvailable: true, faults: [] }));
    heartbeat.stop();
    backend.close();
  });

  test('is not ready before a write succeeded, although leases were renewed just before', async () => {
    // Long between two renewals, so that a new connection is there before one of them fails.
    const config = { REDIS_URL: parseRedisUrl(`redis://127.0.0.1:${proxy.port}`) };
    await using app = await startTestApp({ config, roundMs: 3_000 });
    await using pair = await pairOf(app);
    expect(pair.conversationId).toBeDefined();
    const leases = () => admin.zrange(keyOf('nodes', SHOP.id, ''), '0', '-1', 'WITHSCORES');
    const before = await leases();
    await expect.poll(leases, PATIENCE).not.toEqual(before);

    const standing = async () => (await (await fetch(`${app.url}/readyz`)).json()) as Readiness;
    await demote();
    const isRefused = proxy.refuse(1_200);
    await expect.poll(standing, PATIENCE).toMatchObject({ status: 'not_ready' });
    await isRefused;
    const seen: string[] = [];
    await expect
      .poll(async () => {
        const { status, storeFaults } = await standing();
        seen.push(status);
        return storeFaults;
      }, PATIENCE)
      .toEqual(['READONLY']);
    expect(new Set(seen)).toEqual(new Set(['not_ready']));
    await promote();
    await expect.poll(standing, PATIENCE).toEqual({ status: 'ready', reasons: [] });
  });
});
