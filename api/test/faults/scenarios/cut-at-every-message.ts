import { chanceFrom } from '../../history/stranger.ts';
import { pause } from '../patience.ts';
import type { FaultScenario, Outcome, Profile } from '../scenario.ts';
import { FaultFixture, type Pair, type Guest } from '../fault-fixture.ts';
import { allDelivered, earlyEnds, guestsOf, heardBy, longestOutageMs, part, say, violationsIn } from '../talking.ts';

/** Ways in which a connection is lost when a message passes; the message is the one being sent, or received. */
const CUTS = [
  'closed as it is said',
  'reset as it is said',
  'closed soon after',
  'reset within its frame',
  'reset before its receipt',
  'half-open as it is said',
] as const;
type Cut = (typeof CUTS)[number];

/**
 * A silent connection is detected when two pings were missed, after 30 s, so that only the deep profile includes it.
 */
const SIZES = {
  short: { messages: 20, everyMs: 60, cuts: CUTS.slice(0, -1), rounds: [0], deliverMs: 30_000 },
  deep: { messages: 200, everyMs: 200, cuts: CUTS, rounds: [0, 1], deliverMs: 60_000 },
} as const satisfies Record<Profile, object>;

/** Data on every eighth path are split into pieces of a few bytes. */
const SLICED_EVERY = 8;

/** Cuts one pair at each message of a conversation. */
export const cutAtEveryMessage: FaultScenario = {
  name: 'cut at every message',
  promise: 'no message is lost, repeated or out of order',
  timeoutMs: { short: 90_000, deep: 400_000 },
  async run(profile, seed) {
    await using stage = await FaultFixture.start();
    const outcomes: Outcome[] = [];
    for (const side of SIZES[profile].rounds) outcomes.push(await playRound(stage, profile, seed, side));
    return {
      figure: outcomes.map(({ figure }) => figure).join('; '),
      violations: outcomes.flatMap(({ violations }) => violations),
    };
  },
};

/** `side` is added to the number of the message: the sides are cut in turns. */
async function playRound(stage: FaultFixture, profile: Profile, seed: number, side: number): Promise<Outcome> {
  const { messages, everyMs, cuts, deliverMs } = SIZES[profile];
  const couples = await stage.couples(messages);
  const guests = guestsOf(couples);
  let inflicted = 0;
  await Promise.all(
    couples.map(async (couple, index) => {
      const random = chanceFrom(seed * 1_000_003 + index);
      const cut = cuts[Math.floor(random() * cuts.length)]!;
      if (index % SLICED_EVERY === 0) for (const { entrance } of couple) entrance.slice(1 + Math.floor(random() * 9));
      const [speaker, hearer] = (index + side) % 2 === 0 ? couple : ([couple[1], couple[0]] as Pair);
      const talking = say(hearer, messages, everyMs, random);
      await say(speaker, index, everyMs, random);
      await sayUnder(cut, speaker, hearer, random, () => (inflicted += 1));
      await say(speaker, messages - index - 1, everyMs, random);
      await talking;
    }),
  );
  const late = await allDelivered(guests, deliverMs);
  const early = earlyEnds(guests);
  const ends = await part(couples);
  const heard = heardBy(guests);
  const outageMs = longestOutageMs(guests);
  const violations = [...late, ...early, ...ends, ...violationsIn(guests)];
  if (heard !== messages * guests.length) violations.push(`${heard} were heard of ${messages * guests.length}`);
  if (inflicted !== messages) violations.push(`${inflicted} of ${messages} cuts happened`);
  await stage.dismiss(guests);
  return {
    figure: `${inflicted} cuts, ${heard} of ${messages * guests.length} messages heard once in order, back after ${Math.round(outageMs)} ms at most`,
    violations,
  };
}

/** Sends the speaker's next message, which is cut. */
async function sayUnder(
  cut: Cut,
  speaker: Guest,
  hearer: Guest,
  random: () => number,
  done: () => void,
): Promise<void> {
  const { talker, entrance } = speaker;
  const words = `"${talker.nextText}"`;
  const act = (harm: () => void) => {
    harm();
    done();
  };
  switch (cut) {
    case 'reset within its frame':
      hearer.entrance.whenPassing(words, 'half', (line) => act(() => line.reset()));
      break;
    case 'reset before its receipt':
      hearer.entrance.whenPassing(words, 'all', (line) => act(() => line.reset()));
  }
  talker.say();
  switch (cut) {
    case 'closed as it is said':
      return act(() => entrance.cut());
    case 'reset as it is said':
      return act(() => entrance.reset());
    case 'half-open as it is said':
      return act(() => entrance.goSilent());
    case 'closed soon after':
      await pause(random() * 20);
      return act(() => entrance.cut());
  }
}
