import { TIMES } from '@passerby/sdk/protocol';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { KEYS } from '../../src/state/redis/keys.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { heapInUse } from './heap.ts';
import { keysOfVisitors, REMAINING_KEYS_MAX } from './redis-remains.ts';
import { VisitedApp } from './visited-app.ts';
import { ENDINGS } from './visits.ts';

/** Visits of two: 40,000 and 20,000 times a visitor connects, is matched, and leaves. */
const VISITS = { memory: 20_000, redis: 10_000 } as const;
/** Maximum growth of the heap after all visits against the first tenth, when code is compiled and caches are full. */
const GROWTH_MAX = 1.05;
/** Time until kept replies have expired. Redis deletes expired keys a few at a time. Milliseconds. */
const ANSWERS_GONE_MS = KEYS.op.ttlMs + 30_000;

/** Makes visits in two parts, after each of which nothing may be held; returns the growth of the heap in the second. */
async function growthOver(visited: VisitedApp, visits: number, pause: () => Promise<void>): Promise<number> {
  const heaps: number[] = [];
  for (const count of [visits / 10, visits - visits / 10]) {
    await visited.visit(count, ENDINGS);
    await pause();
    await visited.expectEmpty();
    heaps.push(await heapInUse());
  }
  const [before, after] = heaps as [number, number];
  const growth = `${(before / 1e6).toFixed(2)} MB after a tenth, ${(after / 1e6).toFixed(2)} MB at the end`;
  console.info(`${visits} visits, ${visited.app.storeName}: heap ${growth}`);
  return after / before;
}

test(
  `${VISITS.memory} visits of two, state in memory: nothing is held, and the heap is as it was`,
  { timeout: 1_800_000 },
  async () => {
    await using visited = await VisitedApp.start();
    const growth = await growthOver(visited, VISITS.memory, async () => undefined);
    expect(growth).toBeLessThanOrEqual(GROWTH_MAX);
  },
);

test(
  `${VISITS.redis} visits of two on Redis: no node and no key holds anything, and the heap is as it was`,
  { timeout: 1_800_000 },
  async () => {
    await using server = await RedisServer.start();
    await using visited = await VisitedApp.start(server.url);
    // Redis tells its own time: who was lost is forgotten when the grace is over.
    const pause = () => new Promise<void>((resolve) => setTimeout(resolve, TIMES.graceMs + 2_000));
    const growth = await growthOver(visited, VISITS.redis, pause);
    const redis = new Redis(server.url);
    try {
      expect(await keysOfVisitors(redis)).toEqual([]);
      await expect
        .poll(() => redis.dbsize(), { timeout: ANSWERS_GONE_MS, interval: 1_000 })
        .toBeLessThanOrEqual(REMAINING_KEYS_MAX);
      console.info(`keys that remain, each with a time to live: ${(await redis.keys('*')).sort().join(' ')}`);
    } finally {
      redis.disconnect();
    }
    expect(growth).toBeLessThanOrEqual(GROWTH_MAX);
  },
);
