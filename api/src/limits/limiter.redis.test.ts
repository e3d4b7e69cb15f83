import { expect, test } from 'vitest';
import { RedisServer } from '../../test/servers/redis-server.ts';
import { RedisCluster } from '../../test/servers/redis-cluster.ts';
import { Tally } from '../observability/tally.ts';
import { checkRedis, connectRedis, parseRedisUrl, type RedisClient } from '../state/redis/client.ts';
import type { AddressHash, SiteId } from '../state/state-store.ts';
import { Limiter, type Doer } from './limiter.ts';
import { RATE_LIMITS } from './rate-limits.ts';
import { SessionAllowances } from './session-allowances.ts';

const doer = (address: string): Doer => ({ site: 'site_a' as SiteId, address: address as AddressHash });
const PER_ADDRESS = RATE_LIMITS.sessions.address.points;

function limiterOn(redis: RedisClient) {
  const tally = new Tally();
  return {
    limiter: new Limiter({ sessions: new SessionAllowances(() => 0, 1), factor: 1, redis, clock: Date.now, tally }),
    tally,
  };
}

async function takenOf(tries: number, limiters: readonly Limiter[], address: string): Promise<number> {
  let taken = 0;
  for (let count = 0; count < tries; count++) {
    const { refusal } = await limiters[count % limiters.length]!.tryTake('sessions', doer(address));
    if (refusal === null) taken += 1;
  }
  return taken;
}

async function connected(url: string): Promise<RedisClient & Disposable> {
  const redis = connectRedis(parseRedisUrl(url), 'commands');
  await checkRedis(redis);
  return Object.assign(redis, { [Symbol.dispose]: () => redis.disconnect() });
}

test('all nodes share one allowance, and what is counted goes with its window', async () => {
  await using server = await RedisServer.start();
  using one = await connected(server.url);
  using two = await connected(server.url);
  const limiters = [limiterOn(one).limiter, limiterOn(two).limiter];
  expect(await takenOf(PER_ADDRESS + 10, limiters, 'a')).toBe(PER_ADDRESS);
  const keys = (await one.keys('*')).sort();
  expect(keys).toEqual(['passerby:limit:sessions:address:a', 'passerby:limit:sessions:site:site_a']);
  for (const key of keys) {
    const left = await one.pttl(key);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  }
});

test('while Redis is gone each node counts by itself, and when it is back they count together again', async () => {
  await using server = await RedisServer.start();
  using redis = await connected(server.url);
  const { limiter, tally } = limiterOn(redis);
  await limiter.take('sessions', doer('before'));
  await server.crash();
  expect(await takenOf(PER_ADDRESS + 10, [limiter], 'meanwhile')).toBe(PER_ADDRESS);
  expect(tally.of('limit_without_redis')).toBeGreaterThan(0);
  await server.revive();
  await expect.poll(() => redis.status, { timeout: 5_000 }).toBe('ready');
  await limiter.take('sessions', doer('after'));
  expect(await redis.get('passerby:limit:sessions:address:after')).toBe('1');
});

test('a Cluster will do: each call has one key', { timeout: 30_000 }, async () => {
  await using cluster = await RedisCluster.start();
  using redis = await connected(cluster.url);
  const { limiter, tally } = limiterOn(redis);
  for (const address of ['a', 'b', 'c', 'd']) {
    expect(await takenOf(PER_ADDRESS + 2, [limiter], address)).toBe(PER_ADDRESS);
  }
  expect(tally.of('limit_without_redis')).toBe(0);
});
