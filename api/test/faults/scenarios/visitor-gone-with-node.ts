import { TIMES } from '@passerby/sdk/protocol';
import { NODE_LEASE_MS } from '../../../src/state/redis/keys.ts';
import { comesTrue } from '../patience.ts';
import { withinMs, type FaultScenario } from '../scenario.ts';
import { meet, Stage } from '../stage.ts';
import type { Talker } from '../talker.ts';

/** The lease of a node that died has run out, and somebody has seen it, within this. Milliseconds. */
const AWAY_MAX_MS = NODE_LEASE_MS + 2_000;
const END_MAX_MS = TIMES.graceMs + 1_000;
/** For what takes too long to be measured all the same. Milliseconds. */
const PATIENCE_MS = 10_000;

/** A node dies, and a visitor of it does not come back. */
export const visitorGoneWithNode: FaultScenario = {
  name: 'visitor gone with their node',
  promise: 'tells the peer within the lease and 2 s that they are away, and within the grace period and 1 s the end',
  timeoutMs: { deep: 150_000 },
  async run() {
    await using stage = await Stage.start();
    const [dying, living] = stage.nodes as [(typeof stage.nodes)[number], (typeof stage.nodes)[number]];
    const site = stage.newSite();
    const lost = stage.invite('lost', site, await stage.entrance(dying));
    const left = stage.invite('left', site, await stage.entrance(living));
    await meet([lost, left]);
    const killedAt = performance.now();
    await stage.kill(dying);
    const { talker } = left;
    await comesTrue(() => awayAt(talker) !== undefined, AWAY_MAX_MS + PATIENCE_MS);
    const awayMs = (awayAt(talker) ?? Number.POSITIVE_INFINITY) - killedAt;
    await comesTrue(() => endOf(talker) !== undefined, END_MAX_MS + PATIENCE_MS);
    const end = endOf(talker);
    const endMs = (end?.at ?? Number.POSITIVE_INFINITY) - killedAt - awayMs;
    const ends = talker.book.entries.filter(({ kind }) => kind === 'ended').length;
    return {
      figure: `told away ${Math.round(awayMs)} ms after the kill, and the end (${end?.reason}) ${Math.round(endMs)} ms after that`,
      violations: [
        ...withinMs('being told that the peer is away', awayMs, AWAY_MAX_MS),
        ...withinMs('being told the end', endMs, END_MAX_MS),
        ...(end?.reason === 'peer_lost' && ends === 1 ? [] : [`${ends} ends, the last as ${end?.reason}`]),
      ],
    };
  },
};

const awayAt = ({ book }: Talker) =>
  book.entries.flatMap((entry) => (entry.kind === 'presence' && entry.presence === 'away' ? [entry.at] : []))[0];

const endOf = ({ book }: Talker) => book.entries.flatMap((entry) => (entry.kind === 'ended' ? [entry] : [])).at(-1);
