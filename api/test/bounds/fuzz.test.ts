import { test } from 'vitest';
import { seedsFor } from '../history/two-nodes.ts';
import { expectUnharmed, fuzz } from './fuzz-run.ts';

const PACKETS = 1_500;

test.each(seedsFor(1))(
  `S8 ${PACKETS} malformed packets neither end the service nor disturb a pair (PASSERBY_SEED=%i)`,
  async (seed) => expectUnharmed(await fuzz(seed, PACKETS), PACKETS),
);
