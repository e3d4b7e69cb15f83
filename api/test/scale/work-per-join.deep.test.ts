import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_MATCH_RULES } from '../../src/matching/rules.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { Crowd } from './crowd.ts';

const SIZES = [1_000, 10_000, 100_000] as const;
const JOINS = 200;
const ROUNDS = 7;
/** Factor by which a join may take longer in the largest queue than in the smallest. */
const RATIO_MAX = 2;

describe('work of one join', () => {
  let server: RedisServer;
  let redis: Redis;
  let crowds: Crowd[];
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
    crowds = SIZES.map((size, index) => new Crowd(redis, `pk_test_crowd_${size}`, index + 1));
    for (const [index, crowd] of crowds.entries()) await crowd.growTo(SIZES[index]!);
  }, 300_000);
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  test('examines scanMax candidates at most, however many wait', { timeout: 60_000 }, async () => {
    for (const crowd of crowds) {
      const counts: number[] = [];
      for (let n = 0; n < JOINS; n++) {
        const join = await crowd.join();
        counts.push(join.examined);
        await crowd.leave(join);
      }
      const most = Math.max(...counts);
      const mean = counts.reduce((sum, count) => sum + count, 0) / JOINS;
      console.info(`${crowd.size} waiting: ${mean.toFixed(1)} candidates examined a join, ${most} at most`);
      expect(most).toBeLessThanOrEqual(DEFAULT_MATCH_RULES.scanMax);
    }
  });

  test(
    `takes Redis at most ${RATIO_MAX} times as long among ${SIZES.at(-1)} as among ${SIZES[0]}`,
    { timeout: 120_000 },
    async () => {
      const least = crowds.map(() => Number.POSITIVE_INFINITY);
      // In turns, so that what else the machine does falls on all alike.
      for (let round = 0; round < ROUNDS; round++) {
        for (const [index, crowd] of crowds.entries())
          least[index] = Math.min(least[index]!, await crowd.measureJoins(JOINS));
      }
      crowds.forEach(({ size }, index) =>
        console.info(`${size} waiting: ${least[index]!.toFixed(0)} µs of script a join`),
      );
      console.info(`ratio ${(least.at(-1)! / least[0]!).toFixed(2)}`);
      expect(least.at(-1)! / least[0]!).toBeLessThanOrEqual(RATIO_MAX);
    },
  );
});
