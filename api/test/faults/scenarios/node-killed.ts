import { chanceFrom } from '../../history/stranger.ts';
import { pause } from '../patience.ts';
import type { FaultScenario, Outcome, Profile } from '../scenario.ts';
import { FaultFixture } from '../fault-fixture.ts';
import { allDelivered, earlyEnds, guestsOf, heardBy, longestOutageMs, part, say, violationsIn } from '../talking.ts';

const SIZES = {
  short: { couples: 6, messages: 30, everyMs: 80, rounds: 1 },
  deep: { couples: 20, messages: 200, everyMs: 100, rounds: 6 },
} as const satisfies Record<Profile, object>;

const DELIVER_MS = 30_000;

/** Kills a node while its visitors talk; some of their peers are on it too, some are not. */
export const nodeKilled: FaultScenario = {
  name: 'node killed',
  promise: 'no message of a returning visitor is lost, repeated or out of order, whether the node is replaced or not',
  timeoutMs: { short: 60_000, deep: 400_000 },
  async run(profile, seed) {
    await using stage = await FaultFixture.start();
    const outcomes: Outcome[] = [];
    for (let round = 0; round < SIZES[profile].rounds; round++) {
      outcomes.push(await playRound(stage, profile, seed * 1_000 + round));
    }
    return {
      figure: outcomes.map(({ figure }) => figure).join('; '),
      violations: outcomes.flatMap(({ violations }) => violations),
    };
  },
};

async function playRound(stage: FaultFixture, profile: Profile, seed: number): Promise<Outcome> {
  const { couples: count, messages, everyMs } = SIZES[profile];
  const random = chanceFrom(seed);
  while (stage.nodes.length < 2) await stage.addNode();
  const couples = await stage.couples(count);
  const guests = guestsOf(couples);
  const talking = guests.map((guest, index) => say(guest, messages, everyMs, chanceFrom(seed * 1_000_003 + index)));
  const at = Math.floor(random() * messages);
  await pause(at * everyMs);
  await stage.kill(stage.nodes[Math.floor(random() * 2)]!);
  const isReplaced = random() < 0.5;
  if (isReplaced) await stage.addNode();
  await Promise.all(talking);
  const late = await allDelivered(guests, DELIVER_MS);
  const early = earlyEnds(guests);
  const ends = await part(couples);
  const heard = heardBy(guests);
  const violations = [...late, ...early, ...ends, ...violationsIn(guests)];
  if (heard !== messages * guests.length) violations.push(`${heard} were heard of ${messages * guests.length}`);
  const away = guests.filter(({ talker }) => talker.outages.length > 0).length;
  if (away === 0) violations.push('nobody was on the node that died');
  const outageMs = Math.round(longestOutageMs(guests));
  await stage.dismiss(guests);
  const how = isReplaced ? 'replaced' : 'not replaced';
  return {
    figure: `killed about message ${at}, ${how}: ${away} of ${guests.length} visitors lost their node and were back after ${outageMs} ms at most, ${heard} of ${messages * guests.length} messages heard once in order`,
    violations,
  };
}
