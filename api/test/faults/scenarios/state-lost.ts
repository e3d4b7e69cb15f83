import { comesTrue, pause } from '../patience.ts';
import { withinMs, type FaultScenario, type Profile } from '../scenario.ts';
import { meet, FaultFixture, type Guest } from '../fault-fixture.ts';
import { allDelivered, guestsOf, heardBy, keepTalking, part, violationsIn } from '../talking.ts';

const SIZES = {
  short: { couples: 6, everyMs: 100, awayMs: 1_500 },
  deep: { couples: 100, everyMs: 200, awayMs: 3_000 },
} as const satisfies Record<Profile, object>;

/** Time before and after the fault. Milliseconds. */
const CALM_MS = 1_500;
/** A node asks the store once a second, and replaces a dead connection to it within another. Milliseconds. */
const TOLD_MAX_MS = 5_000;
const DELIVER_MS = 20_000;

/** Restarts Redis empty, after a crash without persistence. */
export const redisRestarted: FaultScenario = stateLost('Redis restarted empty', async (stage, awayMs) => {
  await stage.redis.crash();
  await pause(awayMs);
  await stage.redis.revive();
});

/** Deletes everything in Redis at once. */
export const redisFlushed: FaultScenario = stateLost('Redis flushed', async (stage) => stage.flush(), {
  deep: 120_000,
});

/** The service no longer knows who talked to whom, and has to say so, once. */
function stateLost(
  name: string,
  harm: (stage: FaultFixture, awayMs: number) => Promise<void>,
  timeoutMs: FaultScenario['timeoutMs'] = { short: 60_000, deep: 120_000 },
): FaultScenario {
  return {
    name,
    promise: 'every side is told service_reset once, and all can begin anew',
    timeoutMs,
    async run(profile) {
      const { couples, everyMs, awayMs } = SIZES[profile];
      await using stage = await FaultFixture.start();
      const guests = guestsOf(await stage.couples(couples));
      let isOn = true;
      const talking = keepTalking(guests, everyMs, () => isOn);
      await pause(CALM_MS);
      const heardBefore = heardBy(guests);
      await harm(stage, awayMs);
      const backAt = performance.now();
      const heardMeanwhile = heardBy(guests) - heardBefore;
      await comesTrue(() => guests.every(({ talker }) => talker.conversationId === null), TOLD_MAX_MS * 2);
      const toldMs = performance.now() - backAt;
      isOn = false;
      await talking;
      const wrong = wrongEnds(guests);
      if (wrong.length > 0) return { figure: `Redis was back for ${Math.round(toldMs)} ms`, violations: wrong };
      const anew = await meet(guests);
      const anewMs = performance.now() - backAt;
      isOn = true;
      const talkingAnew = keepTalking(guests, everyMs, () => isOn);
      await pause(CALM_MS);
      isOn = false;
      await talkingAnew;
      const late = await allDelivered(guests, DELIVER_MS);
      const ends = await part(anew);
      const violations = [
        ...withinMs(profile, 'telling all that the service began anew', toldMs, TOLD_MAX_MS),
        ...late,
        ...ends,
        ...violationsIn(guests),
      ];
      return {
        figure: `${guests.length} sides were told the end once, ${Math.round(toldMs)} ms after Redis was back at most, ${heardMeanwhile} messages were heard while it was away, all talked to somebody anew after ${Math.round(anewMs)} ms`,
        violations,
      };
    },
  };
}

/** Returns the visitors who were not told exactly once, and what they were told. */
function wrongEnds(guests: readonly Guest[]): string[] {
  return guests.flatMap(({ talker: { name, log } }) => {
    const reasons = log.events.flatMap((entry) => (entry.kind === 'ended' ? [entry.reason] : []));
    return reasons.join() === 'service_reset' ? [] : [`${name} was told the ends: ${reasons.join() || 'none'}`];
  });
}
