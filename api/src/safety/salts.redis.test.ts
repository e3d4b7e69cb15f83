import { expect, test } from 'vitest';
import type { SiteId } from '../state/state-store.ts';
import { checkRedis, connectRedis, parseRedisUrl } from '../state/redis/client.ts';
import { RedisServer } from '../../test/servers/redis-server.ts';
import { AddressHasher } from './address-hash.ts';
import { Salts, sharedSalts } from './salts.ts';

test('all processes at one Redis hash alike, and what they share is gone once the next day is over', async () => {
  await using server = await RedisServer.start();
  const clients = [1, 2].map(() => connectRedis(parseRedisUrl(server.url), 'commands'));
  await Promise.all(clients.map(checkRedis));
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
