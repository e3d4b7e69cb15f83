import { FAULTS, inflict, type Fault } from '../faults.ts';
import { pause } from '../patience.ts';
import { probe, type Answer } from '../prober.ts';
import { withinMs, type FaultScenario, type Outcome, type Profile } from '../scenario.ts';
import { meet, FaultFixture, type Pair } from '../fault-fixture.ts';
import { allDelivered, earlyEnds, guestsOf, heardBy, keepTalking, part, violationsIn } from '../talking.ts';

const SIZES = {
  short: { couples: 6, everyMs: 100, faults: ['stopped Redis', 'client kill'] },
  deep: { couples: 30, everyMs: 150, faults: FAULTS },
} as const satisfies Record<Profile, { couples: number; everyMs: number; faults: readonly Fault[] }>;

/** Pairs with both visitors on one node: none of their messages passes Redis. */
const NEIGHBOURS = 3;
/** Number of sites of a fault: one for each pair of neighbours, the couples, each of two probes and the newcomers; and a spare one. */
const SITES_PER_FAULT = NEIGHBOURS + 5;
const CALM_MS = 1_000;
const FELT_MS = 1_000;
const DELIVER_MS = 30_000;
/**
 * Maximum duration of a request as its sender measures it: 1 s, and as much for a turn if all share the cores of one
 * machine. Milliseconds.
 */
const ANSWER_MAX_MS = 2_000;
/** Time after which an answer that waits for Redis is too late. Milliseconds. */
const STANDSTILL_MS = 3_500;
const SERVING_MAX_MS = 3_000;

/** Faults of Redis without a loss of data. */
export const redisFails: FaultScenario = {
  name: 'Redis fails',
  promise: 'no conversation ends, and every request is answered in time and served within 3 s after Redis is back',
  timeoutMs: { short: 90_000, deep: 300_000 },
  async run(profile) {
    await using stage = await FaultFixture.start(SITES_PER_FAULT * SIZES[profile].faults.length);
    const outcomes: Outcome[] = [];
    for (const fault of SIZES[profile].faults) outcomes.push(await playFault(stage, fault, profile));
    return {
      figure: outcomes.map(({ figure }) => figure).join('; '),
      violations: outcomes.flatMap(({ violations }) => violations),
    };
  },
};

async function playFault(stage: FaultFixture, fault: Fault, profile: Profile): Promise<Outcome> {
  const { couples: count, everyMs } = SIZES[profile];
  const neighbours: Pair[] = [];
  for (let n = 0; n < NEIGHBOURS; n++) neighbours.push(await neighboursOn(stage, n));
  const couples = [...neighbours, ...(await stage.couples(count))];
  const guests = guestsOf(couples);
  const near = guestsOf(neighbours);
  let isOn = true;
  const talking = keepTalking(guests, everyMs, () => isOn);
  const probing = stage.nodes.map(async (node) => probe(await stage.entrance(node), stage.newSite(), () => isOn));
  await pause(CALM_MS);
  const heardBefore = heardBy(near);
  const harm = inflict(fault, stage.redis, stage.redisProxy, STANDSTILL_MS).then(() => performance.now());
  // Some harm is done in a moment, and felt from then on.
  const [backAt] = await Promise.all([harm, pause(FELT_MS)]);
  const heardMeanwhile = heardBy(near) - heardBefore;
  await meetAnew(stage);
  const metMs = performance.now() - backAt;
  // The newcomers may be quicker than the next question of those who ask all the time.
  await pause(FELT_MS);
  isOn = false;
  await talking;
  const probes = await Promise.all(probing);
  const answers = probes.flat();
  const servingMs = Math.max(...probes.map((of) => firstServedAt(of, backAt) - backAt));
  const late = await allDelivered(guests, DELIVER_MS);
  const early = earlyEnds(guests);
  const ends = await part(couples);
  const slowestMs = Math.max(...answers.map(({ afterMs }) => afterMs));
  const violations = [
    ...late,
    ...early,
    ...ends,
    ...violationsIn(guests),
    ...withinMs(profile, 'an answer', slowestMs, ANSWER_MAX_MS),
    ...withinMs(profile, 'serving again', servingMs, SERVING_MAX_MS),
    ...foreignRefusals(answers),
  ].map((violation) => `${fault}: ${violation}`);
  if (heardMeanwhile === 0) violations.push(`${fault}: those on one node heard nothing of each other meanwhile`);
  const refused = answers.filter(({ refusal }) => refusal !== null).length;
  const heard = heardBy(guests);
  await stage.dismiss(guests);
  return {
    figure: `${fault}: ${heard} messages heard once in order, ${heardMeanwhile} on one node meanwhile, ${refused} of ${answers.length} requests unavailable, slowest answer ${Math.round(slowestMs)} ms, both nodes served ${Math.round(servingMs)} ms after, two newcomers had met ${Math.round(metMs)} ms after`,
    violations,
  };
}

async function neighboursOn(stage: FaultFixture, n: number): Promise<Pair> {
  const [node] = stage.nodes;
  const site = stage.newSite();
  const guests = [];
  for (const side of ['a', 'b']) guests.push(stage.invite(`near${n}${side}`, site, await stage.entrance(node)));
  const [couple] = await meet(guests);
  return couple!;
}

/** Matches two more visitors, who leave again. */
async function meetAnew(stage: FaultFixture): Promise<void> {
  const site = stage.newSite();
  const guests = [];
  for (const name of ['late1', 'late2']) guests.push(stage.invite(name, site, await stage.entrance()));
  await meet(guests);
  await stage.dismiss(guests);
}

const firstServedAt = (answers: readonly Answer[], since: number) =>
  answers.find(({ refusal, at }) => refusal === null && at >= since)?.at ?? Number.POSITIVE_INFINITY;

const foreignRefusals = (answers: readonly Answer[]) =>
  answers.flatMap(({ refusal }) =>
    refusal === null || refusal === 'unavailable' ? [] : [`a request was refused as ${refusal}`],
  );
