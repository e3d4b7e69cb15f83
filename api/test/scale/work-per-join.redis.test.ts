import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_MATCH_RULES } from '../../src/matching/rules.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { Crowd } from './crowd.ts';

describe('work of one join', () => {
  let server: RedisServer;
  let redis: Redis;
  let crowd: Crowd;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
    crowd = new Crowd(redis, 'pk_test_crowd', 1);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  test.each([1_000, 4_000])('examines scanMax candidates at most with %i waiting', async (size) => {
    await crowd.growTo(size);
    let most = 0;
    for (let n = 0; n < 100; n++) {
      const join = await crowd.join();
      most = Math.max(most, join.examined);
      await crowd.leave(join);
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(DEFAULT_MATCH_RULES.scanMax);
  });
});
