import { CONFIRMED_MS, pause } from '../patience.ts';
import type { FaultScenario } from '../scenario.ts';
import { FaultFixture } from '../fault-fixture.ts';
import { allDelivered, earlyEnds, guestsOf, heardBy, part, violationsIn } from '../talking.ts';

const COUPLES = 40;
const AWAY_MS = 4_000;
const DELIVER_MS = 30_000;

/** Cuts connections while Redis is unavailable, so that visitors who come back cannot be admitted yet. */
export const cutWhileRedisIsAway: FaultScenario = {
  name: 'cut while Redis is away',
  promise: 'visitors return to their conversations once Redis is back, and no message is lost',
  timeoutMs: { deep: 60_000 },
  async run() {
    await using stage = await FaultFixture.start();
    const couples = await stage.couples(COUPLES);
    const guests = guestsOf(couples);
    await pause(CONFIRMED_MS);
    stage.redis.signal('SIGSTOP');
    for (const [{ talker, entrance }] of couples) {
      talker.say();
      entrance.reset();
    }
    await pause(AWAY_MS);
    stage.redis.signal('SIGCONT');
    const late = await allDelivered(guests, DELIVER_MS);
    const early = earlyEnds(guests);
    const ends = await part(couples);
    return {
      figure: `${couples.length} visitors cut while Redis was away, ${heardBy(guests)} of ${couples.length} messages heard`,
      violations: [...late, ...early, ...ends, ...violationsIn(guests)],
    };
  },
};
