import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { loadScripts, standingScripts } from '../model/worlds.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { lossProperty, type Steps } from './store-losses.ts';

describe('Redis store that loses keys, fields and members, and goes back in time', () => {
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

  it('is consistent and serves everybody after a bounded number of rounds', { timeout: 300_000 }, async () => {
    const scripts = standingScripts();
    await loadScripts(redis, scripts);
    const seed = process.env['PASSERBY_SEED'];
    await fc.assert(lossProperty(redis, scripts), { numRuns: 25, ...(seed !== undefined && { seed: Number(seed) }) });
  });

  it('restores no place in the queue to a visitor who was told the end of the conversation', async () => {
    const scripts = standingScripts();
    await loadScripts(redis, scripts);
    const confirmedThenGoneBackTo: Steps = [
      { kind: 'act', act: 'find', who: 0, node: 0 },
      { kind: 'act', act: 'find', who: 2, node: 0 },
      { kind: 'act', act: 'confirm', who: 2, node: 0 },
      { kind: 'lose entry', key: 'sessions', pick: 0 },
      { kind: 'keep' },
      { kind: 'round', ms: 1 },
      { kind: 'round', ms: 3_000 },
      { kind: 'go back' },
      { kind: 'round', ms: 1 },
    ];
    await fc.assert(lossProperty(redis, scripts), { numRuns: 1, examples: [[confirmedThenGoneBackTo]] });
  });
});
