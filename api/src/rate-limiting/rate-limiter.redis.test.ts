import { describe, expect, it, test } from 'vitest';
import { RedisServer } from '../../test/servers/redis-server.ts';
import { RedisCluster } from '../../test/servers/redis-cluster.ts';
import { Metrics } from '../observability/metrics.ts';
import { checkRedis } from '../state/redis/check-redis.ts';
import { parseRedisUrl } from '../state/redis/redis-address.ts';
import { connectRedis, type RedisClient } from '../state/redis/redis-client.ts';
import type { AddressHashes, SiteId } from '../domain/ids.ts';
import { type RateLimitSubject, RateLimiter } from './rate-limiter.ts';
import { RATE_LIMITS, timesAt } from '../limits/rate-limits.ts';

const subject = (address: string): RateLimitSubject => ({
  site: 'site_a' as SiteId,
  address: address.split(' ') as unknown as AddressHashes,
});
const PER_ADDRESS = RATE_LIMITS.sessions.address.points;

function limiterOn(redis: RedisClient) {
  const metrics = new Metrics();
  return {
    limiter: new RateLimiter({
      factor: 1,
      redis,
      clock: Date.now,
      metrics,
    }),
    metrics,
  };
}

async function takenOf(tries: number, limiters: readonly RateLimiter[], address: string): Promise<number> {
  let taken = 0;
  for (let count = 0; count < tries; count++) {
    const { refusal } = await limiters[count % limiters.length]!.tryConsume('sessions', subject(address));
    if (refusal === null) taken += 1;
  }
  return taken;
}

async function connected(url: string): Promise<RedisClient & Disposable> {
  const redis = connectRedis(parseRedisUrl(url), 'commands');
  await checkRedis(redis);
  return Object.assign(redis, { [Symbol.dispose]: () => redis.disconnect() });
}

test('all nodes share one quota, and counts expire with their window', async () => {
  await using server = await RedisServer.start();
  using one = await connected(server.url);
  using two = await connected(server.url);
  const limiters = [limiterOn(one).limiter, limiterOn(two).limiter];
  expect(await takenOf(PER_ADDRESS + 10, limiters, 'a')).toBe(PER_ADDRESS);
  const keys = (await one.keys('*')).sort();
  expect(keys).toEqual(['passerby:limit:{site_a}:sessions:address:a', 'passerby:limit:{site_a}:sessions:site']);
  for (const key of keys) {
    const left = await one.pttl(key);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  }
});

test('each node counts by itself while Redis is unavailable, and together again afterwards', async () => {
  await using server = await RedisServer.start();
  using redis = await connected(server.url);
  const { limiter, metrics } = limiterOn(redis);
  await limiter.consume('sessions', subject('before'));
  await server.crash();
  expect(await takenOf(PER_ADDRESS + 10, [limiter], 'meanwhile')).toBe(PER_ADDRESS);
  expect(metrics.countOf('passerby_incidents_total', { kind: 'limit_without_redis' })).toBeGreaterThan(0);
  await server.revive();
  await expect.poll(() => redis.status).toBe('ready');
  await limiter.consume('sessions', subject('after'));
  expect(await redis.get('passerby:limit:{site_a}:sessions:address:after')).toBe('1');
});

test('a count does not wait for a frozen Redis, and nodes count together again afterwards', async () => {
  await using server = await RedisServer.start();
  // Commands wait for 2 s, and a silent connection is given up after 1.5 s: within less only a count's own deadline ends it.
  using redis = await connected(server.url);
  const { limiter, metrics } = limiterOn(redis);
  await limiter.consume('sessions', subject('before'));
  server.signal('SIGSTOP');
  let hasClosed = false;
  redis.once('close', () => (hasClosed = true));
  expect(await takenOf(1, [limiter], 'meanwhile')).toBe(1);
  expect([hasClosed, metrics.countOf('passerby_incidents_total', { kind: 'limit_without_redis' })]).toEqual([false, 1]);
  server.signal('SIGCONT');
  await expect.poll(() => redis.get('passerby:limit:{site_a}:sessions:address:meanwhile')).toBe('1');
  await limiter.consume('sessions', subject('after'));
  expect(await redis.get('passerby:limit:{site_a}:sessions:address:after')).toBe('1');
});

test('a failure besides Redis is counted, and each node counts by itself', async () => {
  await using server = await RedisServer.start();
  using redis = await connected(server.url);
  const { limiter, metrics } = limiterOn(redis);
  await redis.set('passerby:limit:{site_a}:sessions:address:a', 'not a number');
  expect(await takenOf(PER_ADDRESS + 10, [limiter], 'a')).toBe(PER_ADDRESS);
  expect(metrics.countOf('passerby_incidents_total', { kind: 'limit_failed' })).toBeGreaterThan(0);
  expect(await takenOf(1, [limiter], 'b')).toBe(1);
  const before = metrics.countOf('passerby_incidents_total', { kind: 'limit_failed' });
  await server.crash();
  await takenOf(1, [limiter], 'b');
  expect(metrics.countOf('passerby_incidents_total', { kind: 'limit_failed' })).toBe(before);
});

test('works on a Cluster: the keys of an action are in one slot', async () => {
  await using cluster = await RedisCluster.start();
  using redis = await connected(cluster.url);
  const { limiter, metrics } = limiterOn(redis);
  for (const address of ['a', 'b', 'c', 'd /56 /48']) {
    expect(await takenOf(PER_ADDRESS + 2, [limiter], address)).toBe(PER_ADDRESS);
  }
  expect(metrics.countOf('passerby_incidents_total', { kind: 'limit_without_redis' })).toBe(0);
});

describe('S32 the networks of an IPv6 address', () => {
  it('share a quota, on all nodes, and a refusal of a wider one consumes from no other', async () => {
    await using server = await RedisServer.start();
    using redis = await connected(server.url);
    const limiters = [limiterOn(redis).limiter, limiterOn(redis).limiter];
    const of56 = PER_ADDRESS * timesAt(1);
    let taken = 0;
    for (let count = 0; count < of56 + 20; count++) {
      taken += await takenOf(1, [limiters[count % 2]!], `n${count} /56 /48`);
    }
    expect(taken).toBe(of56);
    const countOf = (rest: string) => redis.get(`passerby:limit:{site_a}:sessions:${rest}`);
    const counts = await Promise.all(['address:/56', 'address:/48', 'site', `address:n${of56 + 5}`].map(countOf));
    expect(counts.map(Number)).toEqual([of56, of56, of56, 0]);
  });

  it('are counted in one round trip for each action', async () => {
    await using server = await RedisServer.start();
    using redis = await connected(server.url);
    const { limiter } = limiterOn(redis);
    await limiter.consume('sessions', subject('a /56 /48'));
    const scripts = async () => {
      const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats')) ?? [];
      return Number(calls);
    };
    const before = await scripts();
    for (let count = 0; count < 10; count++) await limiter.consume('sessions', subject(`n${count} /56 /48`));
    expect((await scripts()) - before).toBe(10);
  });
});
