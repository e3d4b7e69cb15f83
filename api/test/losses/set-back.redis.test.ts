import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TwoNodes } from '../history/two-nodes.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { expectConsistent, expectServed, expectUnharmed, playLoss } from './crowd.ts';
import { evict, loadOlderSnapshot } from './store-set-back.ts';

const SEED = Number(process.env['PASSERBY_SEED'] || 501);
const SCENARIO = { seed: SEED, visitors: 24, liveMs: 4_500 };

describe(`data loss of Redis under ${SCENARIO.visitors} visitors on two nodes`, () => {
  let server: RedisServer;
  let redis: Redis;
  let two: TwoNodes;
  beforeEach(async () => {
    server = await RedisServer.start(['--enable-debug-command', 'local']);
    redis = new Redis(server.url);
    two = await TwoNodes.start(server.url, [SEED]);
  });
  afterEach(async () => {
    redis?.disconnect();
    await two?.stop();
    await server?.stop();
  });

  it('serves everybody again after an older snapshot', async () => {
    const outcome = await playLoss(two, SCENARIO, () => loadOlderSnapshot(redis));
    expectServed(outcome, { areBlocksLost: true });
    await expectConsistent(redis, SEED);
    expectUnharmed(two);
  });

  it('serves everybody again after an eviction', async () => {
    const policy = 'allkeys-lru';
    let evicted: readonly string[] = [];
    const outcome = await playLoss(two, SCENARIO, async () => void (evicted = await evict(redis, policy)));
    console.info(`${policy}: ${evicted.join(' ')} evicted, served after ${outcome.servedMs} ms`);
    expect(evicted.length).toBeGreaterThan(1);
    expectServed(outcome, { areBlocksLost: true });
    await expectConsistent(redis, SEED);
  });
});
