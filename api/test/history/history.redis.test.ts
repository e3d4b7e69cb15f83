import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisServer } from '../servers/redis-server.ts';
import { checkHistory } from './history-checker.ts';
import { conversationsIn } from './history.ts';
import { playScenario, seedsFor, TwoNodes } from './two-nodes.ts';

const SEEDS = seedsFor(1);
const VISITORS = 300;

describe(`two nodes on one Redis, with ${VISITORS} visitors who join at once, skip, cancel and block`, () => {
  let redis: RedisServer;
  let two: TwoNodes;
  beforeAll(async () => {
    redis = await RedisServer.start();
    two = await TwoNodes.start(redis.url, SEEDS);
  }, 30_000);
  afterAll(async () => {
    await two?.stop();
    await redis?.stop();
  });

  test.each(SEEDS)('violate no invariant (PASSERBY_SEED=%i)', async (seed) => {
    const histories = await playScenario(two, { seed, visitors: VISITORS, liveMs: 3_000 });
    expect(checkHistory(histories)).toEqual([]);
    // How many there are is up to the machine; with fewer than these little would be shown.
    expect(conversationsIn(histories)).toBeGreaterThan(VISITORS / 2);
  });
});
