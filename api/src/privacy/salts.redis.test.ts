import { expect, test } from 'vitest';
import type { SiteId } from '../domain/ids.ts';
import { checkRedis } from '../state/redis/check-redis.ts';
import { parseRedisUrl } from '../state/redis/redis-address.ts';
import { connectRedis, type RedisClient } from '../state/redis/redis-client.ts';
import { RedisServer } from '../../test/servers/redis-server.ts';
import { AddressHasher } from './address-hash.ts';
import { Salts, sharedSalts } from './salts.ts';

test('processes on one Redis share a salt, which is deleted once the next day is over', async () => {
  await using server = await RedisServer.start();
  const clients = [1, 2].map(() => connectRedis(parseRedisUrl(server.url), 'commands'));
  await Promise.all(clients.map((client) => checkRedis(client)));
  const now = Date.UTC(2026, 10, 22, 12);
  const hashers = await Promise.all(
    clients.map(async (client) => {
      const salts = new Salts(() => now, sharedSalts(client));
      await salts.refresh();
      return new AddressHasher(salts);
    }),
  );
  const [one, two] = hashers.map((hasher) => hasher.hashes('198.51.100.1', 'site_a' as SiteId));
  expect(one).toEqual(two);
  const [redis] = clients;
  expect((await redis!.keys('*')).sort()).toEqual(['passerby:salt:2026-11-21', 'passerby:salt:2026-11-22']);
  const hours = (await redis!.pttl('passerby:salt:2026-11-22')) / 3_600_000;
  expect(Math.round(hours)).toBe(36);
  for (const client of clients) client.disconnect();
});

test('running processes restore their salts to an empty Redis, and later ones use the same', async () => {
  await using server = await RedisServer.start();
  const redis = connectRedis(parseRedisUrl(server.url), 'commands');
  await checkRedis(redis);
  const now = Date.UTC(2026, 10, 22, 23, 30);
  const [living, other, newcomer] = [1, 2, 3].map(() => new Salts(() => now, sharedSalts(redis)));
  await living!.refresh();
  await other!.refresh();
  const known = living!.known();
  await redis.flushall();
  await living!.refresh();
  await newcomer!.refresh();
  await other!.refresh();
  expect([living, other, newcomer].map((salts) => salts!.known())).toEqual([known, known, known]);
  // One that made up its own meanwhile wins, and all follow.
  await redis.flushall();
  const first = new Salts(() => now, sharedSalts(redis));
  await first.refresh();
  await living!.refresh();
  await other!.refresh();
  expect(first.known()).not.toEqual(known);
  expect([living, other].map((salts) => salts!.known())).toEqual([first.known(), first.known()]);
  redis.disconnect();
});

test.each([
  ['a word', (redis: RedisClient, key: string) => redis.set(key, 'PONG')],
  ['a list', (redis: RedisClient, key: string) => redis.rpush(key, 'PONG')],
])('an invalid salt is replaced by that of running processes: %s', async (_, spoil) => {
  await using server = await RedisServer.start();
  const redis = connectRedis(parseRedisUrl(server.url), 'commands');
  await checkRedis(redis);
  const now = Date.UTC(2026, 10, 22, 12);
  const [living, newcomer] = [1, 2].map(() => new Salts(() => now, sharedSalts(redis)));
  await living!.refresh();
  const known = living!.known();
  await redis.del('passerby:salt:2026-11-22');
  await spoil(redis, 'passerby:salt:2026-11-22');
  await living!.refresh();
  await newcomer!.refresh();
  expect([living, newcomer].map((salts) => salts!.known())).toEqual([known, known]);
  expect(await redis.pttl('passerby:salt:2026-11-22')).toBeGreaterThan(0);
  redis.disconnect();
});
