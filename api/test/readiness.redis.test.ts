import type { Readiness } from '@passerby/sdk/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parseRedisUrl } from '../src/state/redis/redis-address.ts';
import { pairOf, assertTalking, startTestApp } from './harness.ts';
import { RedisServer } from './servers/redis-server.ts';

const PATIENCE_MS = 30_000;

test('a node is not ready while Redis is unavailable, survives, and recovers by itself', async () => {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  await using app = await startTestApp({ config: { REDIS_URL: parseRedisUrl(redis.url) } });
  await using pair = await pairOf(app);
  const ready = async () => (await (await fetch(`${app.url}/readyz`)).json()) as Readiness;
  expect(await ready()).toEqual({ status: 'ready', reasons: [] });

  await redis.crash();
  await vi.waitFor(
    async () =>
      expect(await ready()).toEqual({
        status: 'not_ready',
        reasons: ['store_unavailable'],
        storeFaults: ['ECONNREFUSED'],
      }),
    PATIENCE_MS,
  );
  expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
  expect(await app.metrics.text()).toContain('passerby_not_ready{reason="store_unavailable"} 1\n');
  await assertTalking(pair, 1);

  await redis.revive();
  await vi.waitFor(async () => expect(await ready()).toEqual({ status: 'ready', reasons: [] }), PATIENCE_MS);
  expect(await app.metrics.text()).toContain('passerby_ready 1\n');
});
