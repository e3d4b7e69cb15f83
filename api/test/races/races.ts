import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RedisServer } from '../servers/redis-server.ts';
import { raceForOneSession } from './same-token.ts';
import { skipAtOnce } from './skip-at-once.ts';

/** Number of repetitions of each race in the short tests. */
const SHORT = 40;
const SEED = Number(process.env['PASSERBY_SEED'] || 1);

/** Invariants of two simultaneous actions, `times` times each; `nodes` of 0 is one node in memory. */
export function describeRaces(nodes: 0 | 1 | 2, times = SHORT): void {
  const where = nodes === 0 ? 'one node, its state in memory' : `on one Redis, nodes: ${nodes}`;
  describe(`${where}, ${times} times`, { timeout: 60_000 + times * 300 }, () => {
    let redis: RedisServer | undefined;
    beforeEach(async () => {
      if (nodes > 0) redis = await RedisServer.start();
    });
    afterEach(() => redis?.stop());
    const options = () => (redis === undefined ? {} : { redisUrl: redis.url, count: nodes });

    test.each([
      ['at once', 0],
      ['one shortly after the other', 8],
    ])(
      `S2 of two connections with one resume token, %s, exactly one survives, and the other neither sends nor receives`,
      async (order, lagMaxMs) => {
        const losers = await raceForOneSession(options(), { races: times, lagMaxMs, seed: SEED });
        expect(losers.superseded + losers.newSession).toBe(times);
        if (times > SHORT) console.info(`${where}, ${order}: ${JSON.stringify(losers)} (PASSERBY_SEED=${SEED})`);
      },
    );

    test.each([2, 5])(
      'nobody of %i visitors is stuck when all in conversations skip at the same instant',
      async (visitors) => {
        await skipAtOnce(options(), visitors, times);
      },
    );
  });
}
