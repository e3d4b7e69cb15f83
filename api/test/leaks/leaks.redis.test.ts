import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { RedisServer } from '../servers/redis-server.ts';
import { keysOfVisitors } from './redis-remains.ts';
import { VisitedApp } from './visited-app.ts';
import { ENDINGS_WITH_WORD } from './visits.ts';

test('after hundreds of visits no node and no key holds data of a visitor', async () => {
  await using server = await RedisServer.start();
  await using visited = await VisitedApp.start(server.url);
  await visited.visit(200, ENDINGS_WITH_WORD);
  await visited.expectEmpty();
  const redis = new Redis(server.url);
  const left = await keysOfVisitors(redis).finally(() => redis.disconnect());
  expect(left).toEqual([]);
});
