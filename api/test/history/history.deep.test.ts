import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisServer } from '../servers/redis-server.ts';
import { checkHistory } from './history-checker.ts';
import { conversationsIn, slowestAnswerMs } from './history.ts';
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
    const histories = await playScenario(two, { seed, visitors: VISITORS, liveMs: 6_000 });
    const conversations = conversationsIn(histories);
    console.info(
      `seed ${seed}: ${conversations} conversations, slowest answer ${Math.round(slowestAnswerMs(histories))} ms`,
    );
    // A crowd may hold a node up for so long that a match lapses before it was told: those visitors are made to come
    // back and are told the whole truth, which is no violation.
    expect(checkHistory(histories, { areCutsAllowed: true })).toEqual([]);
    expect(conversations).toBeGreaterThan(VISITORS / 2);
  });
});
