import { Redis } from 'ioredis';
import { afterAll, beforeAll, test } from 'vitest';
import { RedisServer } from '../servers/redis-server.ts';
import { assertModel } from './model.ts';
import { loadScripts, redisWorld, standingScripts } from './worlds.ts';

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

test(
  'the Redis store keeps I1 I2 I3 I4 I5 I6 I10 I11 I13 L1 under random actions, also if every reply is lost once',
  { timeout: 300_000 },
  async () => {
    const scripts = standingScripts();
    await loadScripts(redis, scripts);
    await assertModel((areRepliesLost) => redisWorld(redis, scripts, areRepliesLost));
  },
);
