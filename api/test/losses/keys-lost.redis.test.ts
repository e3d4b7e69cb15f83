import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { KeyName } from '../../src/state/redis/keys.ts';
import { siteIdOf, TwoNodes } from '../history/two-nodes.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { expectConsistent, expectServed, expectUnharmed, playLoss, type LossOutcome } from './crowd.ts';
import { areBlocksLostWith, deleteKey, KEY_NAMES } from './loss.ts';

const FIRST_SEED = Number(process.env['PASSERBY_SEED'] || 401);
/**
 * Number of keys that are lost at once: together no more visitors than a machine of two cores serves beside other
 * tests.
 */
const AT_ONCE = 6;
const SCENARIO = { visitors: 20, liveMs: 4_000 };

describe(`loss of a site's key under ${SCENARIO.visitors} visitors on two nodes`, () => {
  const seedOf = (name: KeyName) => FIRST_SEED + KEY_NAMES.indexOf(name);
  const outcomes = new Map<KeyName, LossOutcome>();
  let server: RedisServer;
  let redis: Redis;
  let two: TwoNodes;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
    two = await TwoNodes.start(server.url, KEY_NAMES.map(seedOf));
    // Each key on a site of its own, so that several are played at once.
    for (let from = 0; from < KEY_NAMES.length; from += AT_ONCE) {
      await Promise.all(
        KEY_NAMES.slice(from, from + AT_ONCE).map(async (name) => {
          const seed = seedOf(name);
          outcomes.set(name, await playLoss(two, { seed, ...SCENARIO }, () => deleteKey(redis, siteIdOf(seed), name)));
        }),
      );
    }
  });
  afterAll(async () => {
    redis?.disconnect();
    await two?.stop();
    await server?.stop();
  });

  it.each(KEY_NAMES)('%s: no violation, nobody is stuck, and matching resumes', async (name) => {
    expectServed(outcomes.get(name)!, { areBlocksLost: areBlocksLostWith(name) });
    await expectConsistent(redis, seedOf(name));
  });

  it('fails no round of a node', () => expectUnharmed(two));
});
