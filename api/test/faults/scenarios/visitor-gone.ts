import { TIMES } from '@passerby/sdk/protocol';
import { NODE_LEASE_MS } from '../../../src/state/redis/keys.ts';
import { comesTrue, CONFIRMED_MS, pause } from '../patience.ts';
import { withinMs, type FaultScenario } from '../scenario.ts';
import { meet, FaultFixture, type Guest } from '../fault-fixture.ts';
import type { ChatDriver } from '../chat-driver.ts';

/** Time within which the peer of a visitor who leaves is told. Milliseconds. */
const LEFT_MAX_MS = 500;
const COUPLES = 50;
/** Time within which the lease of a dead node has lapsed and a node has noticed it. Milliseconds. */
const AWAY_MAX_MS = NODE_LEASE_MS + 2_000;
/** Time within which the end of a visitor who does not come back is told. Milliseconds. */
const END_MAX_MS = TIMES.graceMs + 1_000;
/** Time for which a late event is still waited for, to be measured. Milliseconds. */
const PATIENCE_MS = 10_000;

/** Visitors skip, one after the other. */
export const visitorSkips: FaultScenario = {
  name: 'visitor skips',
  promise: 'the peer is told the end within 0.5 s',
  timeoutMs: { deep: 60_000 },
  async run(profile) {
    await using stage = await FaultFixture.start();
    const couples = await stage.couples(COUPLES);
    const tookMs: number[] = [];
    for (const [skips, stays] of couples) {
      const at = performance.now();
      await skips.talker.chat.skip();
      tookMs.push((await endOf(stays.talker, PATIENCE_MS)).at - at);
    }
    const slowest = Math.max(...tookMs);
    const median = tookMs.toSorted((a, b) => a - b)[COUPLES / 2]!;
    return {
      figure: `${COUPLES} skips, the end was told after ${median.toFixed(1)} ms in the middle and ${slowest.toFixed(1)} ms at most`,
      violations: withinMs(profile, 'being told the end', slowest, LEFT_MAX_MS),
    };
  },
};

/** Cuts a connection; the visitor does not come back. */
export const visitorCutAndGone: FaultScenario = {
  name: 'visitor cut and gone',
  promise: 'the peer is told the end within the grace period and 1 s',
  timeoutMs: { deep: 120_000 },
  async run(profile) {
    await using stage = await FaultFixture.start();
    const { lost, left } = await strangers(stage);
    const cutAt = performance.now();
    lost.entrance.shut();
    lost.entrance.reset();
    const end = await endOf(left.talker, END_MAX_MS + PATIENCE_MS);
    return {
      figure: `told the end (${end.reason}) ${Math.round(end.at - cutAt)} ms after the cut`,
      violations: [...withinMs(profile, 'being told the end', end.at - cutAt, END_MAX_MS), ...wrongEnd(left.talker)],
    };
  },
};

/** Kills a node; a visitor of it does not come back. */
export const visitorGoneWithNode: FaultScenario = {
  name: 'visitor gone with their node',
  promise: 'the peer is told of the absence within the lease and 2 s, and of the end within the grace period and 1 s',
  timeoutMs: { deep: 150_000 },
  async run(profile) {
    await using stage = await FaultFixture.start();
    const { left } = await strangers(stage);
    const killedAt = performance.now();
    await stage.kill(stage.nodes[0]!);
    const { talker } = left;
    await comesTrue(() => awayAt(talker) !== undefined, AWAY_MAX_MS + PATIENCE_MS);
    const awayMs = (awayAt(talker) ?? Number.POSITIVE_INFINITY) - killedAt;
    const end = await endOf(talker, END_MAX_MS + PATIENCE_MS);
    const endMs = end.at - killedAt - awayMs;
    return {
      figure: `told away ${Math.round(awayMs)} ms after the kill, and the end (${end.reason}) ${Math.round(endMs)} ms after that`,
      violations: [
        ...withinMs(profile, 'being told that the peer is away', awayMs, AWAY_MAX_MS),
        ...withinMs(profile, 'being told the end', endMs, END_MAX_MS),
        ...wrongEnd(talker),
      ],
    };
  },
};

/** Two visitors in conversation, on two nodes: `lost` on the first. */
async function strangers(stage: FaultFixture): Promise<Record<'lost' | 'left', Guest>> {
  const [dying, living] = stage.nodes as [(typeof stage.nodes)[number], (typeof stage.nodes)[number]];
  const site = stage.newSite();
  const lost = stage.invite('lost', site, await stage.entrance(dying));
  const left = stage.invite('left', site, await stage.entrance(living));
  await meet([lost, left]);
  await pause(CONFIRMED_MS);
  return { lost, left };
}

const awayAt = ({ log }: ChatDriver) =>
  log.events.flatMap((entry) => (entry.kind === 'presence' && entry.presence === 'away' ? [entry.at] : []))[0];

const endsIn = ({ log }: ChatDriver) => log.events.flatMap((entry) => (entry.kind === 'ended' ? [entry] : []));

/** Returns the first end that a visitor is told; its time is infinite if none comes in time. */
async function endOf(talker: ChatDriver, patienceMs: number) {
  await comesTrue(() => endsIn(talker).length > 0, patienceMs);
  return endsIn(talker)[0] ?? { reason: 'no end', at: Number.POSITIVE_INFINITY };
}

function wrongEnd(talker: ChatDriver): string[] {
  const reasons = endsIn(talker).map(({ reason }) => reason);
  return reasons.join() === 'peer_lost' ? [] : [`the ends told were: ${reasons.join() || 'none'}`];
}
