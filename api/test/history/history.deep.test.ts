import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisServer } from '../servers/redis-server.ts';
import { conversationsIn, slowestAnswerMs } from '../invariants/event-log.ts';
import { checkInvariants } from '../invariants/invariants.ts';
import { playScenario, seedsFor, TwoNodes } from './two-nodes.ts';

const SEEDS = seedsFor(20, 101);
const VISITORS = 2_000;

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

  test.each(SEEDS)('violate no invariant (PASSERBY_SEED=%i)', { timeout: 120_000 }, async (seed) => {
    const logs = await playScenario(two, { seed, visitors: VISITORS, liveMs: 6_000 });
    const conversations = conversationsIn(logs);
    console.info(
      `seed ${seed}: ${conversations} conversations, slowest answer ${Math.round(slowestAnswerMs(logs))} ms`,
    );
    // A crowd may hold a node up for so long that a match lapses before it was told: those visitors are made to come
    // back and are told the whole truth, which is no violation.
    expect(checkInvariants(logs, { areCutsAllowed: true })).toEqual([]);
    expect(conversations).toBeGreaterThan(VISITORS / 2);
  });
});
