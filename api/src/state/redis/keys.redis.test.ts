import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, assert, beforeAll, expect, test } from 'vitest';
import { COMMANDS, populate } from '../../../test/model/commands.ts';
import { Ledger } from '../../../test/model/ledger.ts';
import { RULES, SITES } from '../../../test/model/world.ts';
import { loadScripts, redisWorld, standingScripts } from '../../../test/model/worlds.ts';
import { RedisServer } from '../../../test/servers/redis-server.ts';
import { KEYS, keyOf, PREFIX, storedNameOf, type KeyName } from './keys.ts';

const NAMES = Object.keys(KEYS) as KeyName[];

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

test('I12 every key has a time to live and is in the registry, which names no other', async () => {
  const scripts = standingScripts();
  await loadScripts(redis, scripts);
  const found = new Set<KeyName>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.values(RULES)),
      fc.commands([...COMMANDS], { maxCommands: 40, size: 'max' }),
      async (rules, steps) => {
        const world = await redisWorld(redis, scripts);
        const ledger = new Ledger(rules, world.now, world.hasLeases);
        await populate(ledger, world);
        await fc.asyncModelRun(() => ({ model: ledger, real: world }), steps);
        const keys = await redis.keys('*');
        const left = await redis.pipeline(keys.map((key) => ['pttl', key])).exec();
        for (const [n, key] of keys.entries()) {
          const [, site, storedName] = /^passerby:\{([^}]+)\}:(\w+)/.exec(key)!;
          const name = NAMES.find((one) => storedNameOf(one) === storedName);
          assert(name !== undefined, key);
          expect(SITES).toContain(site);
          const ttlMs = left![n]![1] as number;
          expect(ttlMs, `${key} has ${ttlMs} ms to live`).toBeGreaterThan(0);
          expect(ttlMs, `${key} lives longer than the registry says`).toBeLessThanOrEqual(KEYS[name].ttlMs);
          found.add(name);
        }
      },
    ),
    // A seed that comes by every key.
    { numRuns: 60, seed: 1 },
  );
  expect([...found].sort()).toEqual([...NAMES].sort());
});

test('a key has its site as hash tag, and only the reply of an operation has a suffix', () => {
  for (const name of NAMES) {
    const key = keyOf(name, SITES[0]!, 'o_1');
    expect(key).toBe(`${PREFIX}{${SITES[0]!}}:${storedNameOf(name)}${name === 'op' ? ':o_1' : ''}`);
  }
});
