import { test } from 'vitest';
import { seedsFor } from '../history/two-nodes.ts';
import { expectUnharmed, fuzz } from './fuzz-run.ts';

const PACKETS = 100_000;

test.each(seedsFor(1, 101))(
  `${PACKETS} malformed packets neither end the service nor disturb a pair (PASSERBY_SEED=%i)`,
  { timeout: 1_200_000 },
  async (seed) => {
    const outcome = await fuzz(seed, PACKETS);
    const { sent, connections, refusals } = outcome.fuzzed;
    const said = outcome.talks.map((talk) => talk.said).join(' and ');
    const codes = [...refusals].map(([code, count]) => `${code} ${count}`).join(', ');
    console.info(
      `seed ${seed}: ${sent} packets over ${connections} connections, ${codes}; the pairs said ${said} each`,
    );
    expectUnharmed(outcome, PACKETS);
  },
);
