import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisServer } from '../servers/redis-server.ts';
import { conversationsIn } from '../invariants/event-log.ts';
import { checkInvariants } from '../invariants/invariants.ts';
import { playScenario, seedsFor, TwoNodes } from './two-nodes.ts';

const SEEDS = seedsFor(1);
const VISITORS = 300;

describe(`two nodes on one Redis, with ${VISITORS} visitors who join at once, skip, cancel and block`, () => {
  let redis: RedisServer;
  let two: TwoNodes;
  beforeAll(async () => {
    redis = await RedisServer.start();
    two = await TwoNodes.start(redis.url, SEEDS);
  });
  afterAll(async () => {
    await two?.stop();
    await redis?.stop();
  });

  test.each(SEEDS)('violate no invariant (PASSERBY_SEED=%i)', async (seed) => {
    const logs = await playScenario(two, { seed, visitors: VISITORS, liveMs: 3_000 });
    expect(checkInvariants(logs)).toEqual([]);
    // How many there are is up to the machine; with fewer than these little would be shown.
    expect(conversationsIn(logs)).toBeGreaterThan(VISITORS / 2);
  });
});
