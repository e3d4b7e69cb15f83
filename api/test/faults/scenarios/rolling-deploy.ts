import { withinMs, type FaultScenario, type Profile } from '../scenario.ts';
import { FaultFixture, type Guest } from '../fault-fixture.ts';
import {
  allDelivered,
  earlyEnds,
  guestsOf,
  heardBy,
  keepTalking,
  longestOutageMs,
  part,
  violationsIn,
} from '../talking.ts';

/** Minimum number of visitors of a node for which the spread of their reconnects is measured. */
const SIZES = {
  short: { couples: 10, everyMs: 150, spreadMinMs: 1_000 },
  deep: { couples: 100, everyMs: 200, spreadMinMs: 3_000 },
} as const satisfies Record<Profile, object>;

const EXIT_MAX_MS = 10_000;
const DELIVER_MS = 20_000;

/** Replaces all nodes, one after the other, while visitors talk. */
export const rollingDeploy: FaultScenario = {
  name: 'rolling deploy',
  promise: 'nothing is lost, each node exits within 10 s, and reconnects are spread',
  timeoutMs: { short: 90_000, deep: 180_000 },
  async run(profile) {
    const { couples: count, everyMs, spreadMinMs } = SIZES[profile];
    await using stage = await FaultFixture.start();
    const couples = await stage.couples(count);
    const guests = guestsOf(couples);
    let isOn = true;
    const talking = keepTalking(guests, everyMs, () => isOn);
    const exitsMs: number[] = [];
    const spreadsMs: number[] = [];
    for (const old of stage.nodes) {
      await stage.addNode();
      stage.takeOut(old);
      const since = performance.now();
      exitsMs.push(await old.drain());
      spreadsMs.push(spreadMs(guests, since));
    }
    isOn = false;
    await talking;
    const late = await allDelivered(guests, DELIVER_MS);
    const early = earlyEnds(guests);
    const ends = await part(couples);
    const violations = [
      ...exitsMs.flatMap((exitMs) => withinMs(profile, 'the end of a node', exitMs, EXIT_MAX_MS)),
      ...spreadsMs
        .filter((ms) => ms < spreadMinMs)
        .map((ms) => `visitors came back within ${Math.round(ms)} ms, not spread over ${spreadMinMs} ms`),
      ...late,
      ...early,
      ...ends,
      ...violationsIn(guests),
    ];
    const rounded = (list: readonly number[]) => list.map(Math.round).join(' and ');
    return {
      figure: `${heardBy(guests)} messages heard once in order, nodes gone after ${rounded(exitsMs)} ms, visitors back over ${rounded(spreadsMs)} ms, each away for ${Math.round(longestOutageMs(guests))} ms at most`,
      violations,
    };
  },
};

/** Returns the time from the first reconnect after that to the last. Milliseconds. */
function spreadMs(guests: readonly Guest[], since: number): number {
  const times = guests.flatMap(({ talker }) => talker.outages.map(({ lostAt }) => lostAt)).filter((at) => at >= since);
  return Math.max(...times) - Math.min(...times);
}
