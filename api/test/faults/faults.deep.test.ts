import { afterAll, beforeAll, describe, test } from 'vitest';
import { seedsFor } from '../history/two-nodes.ts';
import { expectNoViolation, FaultyStage } from './fault-scenario.ts';
import { FAULTS } from './faults.ts';

describe('two nodes during a fault of Redis, with 2,000 visitors', () => {
  const cases = seedsFor(20, 401).map((seed) => ({
    seed,
    fault: FAULTS[(seed - 401 + 20 * FAULTS.length) % FAULTS.length]!,
  }));
  let stage: FaultyStage;
  beforeAll(async () => {
    stage = await FaultyStage.start(cases.map(({ seed }) => seed));
  }, 30_000);
  afterAll(() => stage?.stop());

  test.each(cases)(
    '$fault: no violation, every request answered, and matching resumes (PASSERBY_SEED=$seed)',
    { timeout: 120_000 },
    ({ fault, seed }) => expectNoViolation(stage, fault, { seed, visitors: 2_000, liveMs: 7_000, profile: 'deep' }),
  );
});
