import { chanceFrom } from '../../history/stranger.ts';
import { pause } from '../patience.ts';
import type { FaultScenario, Profile } from '../scenario.ts';
import { FaultFixture } from '../fault-fixture.ts';
import { allDelivered, earlyEnds, guestsOf, heardBy, part, say, violationsIn } from '../talking.ts';

const SIZES = {
  short: { couples: 6, messages: 20, everyMs: 100 },
  deep: { couples: 60, messages: 100, everyMs: 100 },
} as const satisfies Record<Profile, object>;

const DELIVER_MS = 30_000;

/** Cuts the connection, and the next one in the very moment in which the visitor gets their session. */
export const cutWhileComingBack: FaultScenario = {
  name: 'cut while coming back',
  promise: 'the session is kept, and no message is lost',
  timeoutMs: { short: 60_000, deep: 120_000 },
  async run(profile, seed) {
    const { couples: count, messages, everyMs } = SIZES[profile];
    await using stage = await FaultFixture.start();
    const couples = await stage.couples(count);
    const guests = guestsOf(couples);
    let inflicted = 0;
    const talking = guests.map((guest, index) => say(guest, messages, everyMs, chanceFrom(seed * 1_000_003 + index)));
    const random = chanceFrom(seed);
    for (const [{ entrance }] of couples) {
      await pause(random() * everyMs);
      entrance.whenPassing('session:ready', 'half', (line) => {
        inflicted += 1;
        line.reset();
      });
      entrance.reset();
    }
    await Promise.all(talking);
    const late = await allDelivered(guests, DELIVER_MS);
    const early = earlyEnds(guests);
    const ends = await part(couples);
    const heard = heardBy(guests);
    const violations = [...late, ...early, ...ends, ...violationsIn(guests)];
    if (inflicted !== count) violations.push(`${inflicted} of ${count} cuts happened`);
    return {
      figure: `${inflicted} visitors cut a second time while coming back, ${heard} of ${messages * guests.length} messages heard once in order`,
      violations,
    };
  },
};
