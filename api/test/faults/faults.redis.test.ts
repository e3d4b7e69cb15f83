import { afterAll, beforeAll, describe, test } from 'vitest';
import { expectNoViolation, FaultyStage } from './fault-scenario.ts';
import type { Fault } from './faults.ts';

/** Faults that each represent a kind; the deep form uses all. */
const SHORT: readonly Fault[] = ['lost replies', 'desynchronised replies', 'half-open', 'stopped Redis'];

const SEED = Number(process.env['PASSERBY_SEED'] || 301);

describe('two nodes during a fault of Redis', () => {
  const cases = SHORT.map((fault, index) => ({ fault, seed: SEED + index }));
  let stage: FaultyStage;
  beforeAll(async () => {
    stage = await FaultyStage.start(cases.map(({ seed }) => seed));
  });
  afterAll(() => stage?.stop());

  test.each(cases)(
    '$fault: no violation, every request answered, and matching resumes (PASSERBY_SEED=$seed)',
    ({ fault, seed }) => expectNoViolation(stage, fault, { seed, visitors: 60, liveMs: 3_500, profile: 'short' }),
  );
});
