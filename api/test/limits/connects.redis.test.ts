import { describe, expect, it, onTestFinished } from 'vitest';
import { RATE_LIMITS } from '../../src/limits/rate-limits.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { connectRedis } from '../../src/state/redis/redis-client.ts';
import { startTestApp, Visitor } from '../harness.ts';
import { RedisServer } from '../servers/redis-server.ts';

describe('quota of CONNECTs', () => {
  const { points: CONNECTS } = RATE_LIMITS.connects.address;

  it('is counted by each process alone, and not in Redis', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.stop());
    await using app = await startTestApp({
      config: { REDIS_URL: parseRedisUrl(redis.url), TRUSTED_HOPS: 1, RATE_LIMIT_FACTOR: 1 },
    });
    const codes: string[] = [];
    for (let count = 0; count < CONNECTS + 1; count++) {
      const visitor = new Visitor(app, { from: '198.51.100.7', auth: { claims: 'none' } });
      codes.push(
        await new Promise((resolve) =>
          visitor.socket.once('connect_error', ((error: { data: { code: string } }) =>
            resolve(error.data.code)) as never),
        ),
      );
    }
    expect([codes.at(0), codes.at(-2), codes.at(-1)]).toEqual(['claims_refused', 'claims_refused', 'rate_limited']);

    const reader = connectRedis(parseRedisUrl(redis.url), 'commands');
    onTestFinished(() => reader.disconnect());
    await using visitor = await Visitor.arrive(app, { from: '198.51.100.8' });
    expect(visitor.ready.recovered).toBe(false);
    const keys = await reader.keys('passerby:limit:*');
    expect(keys.some((key) => key.includes(':sessions:'))).toBe(true);
    expect(keys.filter((key) => key.includes(':connects:'))).toEqual([]);
  });
});
