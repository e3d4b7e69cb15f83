import { comesTrue, CONFIRMED_MS, pause } from '../patience.ts';
import { withinMs, type FaultScenario, type Profile } from '../scenario.ts';
import { meet, FaultFixture, type Guest } from '../fault-fixture.ts';
import { allDelivered, earlyEnds, guestsOf, longestOutageMs, part, violationsIn } from '../talking.ts';

const SIZES = { short: 20, deep: 1_000 } as const satisfies Record<Profile, number>;

/** Pairs that search at once: enough for a crowd, few enough for a machine's queue of connections. */
const MEETING_MAX = 50;
const BACK_MAX_MS = 30_000;
const DELIVER_MS = 30_000;

/** Resets all connections at one moment, with a message in flight in each direction of each conversation. */
export const allCutAtOnce: FaultScenario = {
  name: 'all cut at once',
  promise: 'everybody is back within 30 s, and nothing is lost',
  timeoutMs: { short: 60_000, deep: 240_000 },
  async run(profile) {
    const count = SIZES[profile];
    await using stage = await FaultFixture.start();
    const [entrance, site] = [await stage.entrance(), stage.newSite()];
    const couples = [];
    for (let met = 0; met < count; met += MEETING_MAX) {
      const size = Math.min(MEETING_MAX, count - met) * 2;
      const coming = Array.from({ length: size }, (_, n) => stage.invite(`v${met * 2 + n + 1}`, site, entrance));
      couples.push(...(await meet(coming)));
    }
    const guests = guestsOf(couples);
    await pause(CONFIRMED_MS);
    for (const { talker } of guests) talker.say();
    const cutAt = performance.now();
    entrance.reset();
    await comesTrue(() => guests.every(isBack), BACK_MAX_MS * 2);
    const backMs = performance.now() - cutAt;
    const late = await allDelivered(guests, DELIVER_MS);
    const deliveredMs = performance.now() - cutAt;
    const early = earlyEnds(guests);
    const ends = await part(couples);
    return {
      figure: `${guests.length} visitors were back after ${Math.round(backMs)} ms (each away for ${Math.round(longestOutageMs(guests))} ms at most), all was delivered after ${Math.round(deliveredMs)} ms`,
      violations: [
        ...withinMs(profile, 'coming back', backMs, BACK_MAX_MS),
        ...late,
        ...early,
        ...ends,
        ...violationsIn(guests),
      ],
    };
  },
};

const isBack = ({ talker }: Guest) => talker.isConnected && talker.outages.length > 0;
