import { describe, expect, test } from 'vitest';
import { SCENARIOS } from './registry.ts';
import { reportOf } from './scenario.ts';

const SEED = Number(process.env['PASSERBY_SEED'] || 1);

describe(`conversations on two nodes (PASSERBY_SEED=${SEED})`, () => {
  for (const scenario of SCENARIOS) {
    const { name, promise, timeoutMs } = scenario;
    if (timeoutMs.short === undefined) continue;
    test(`${name}: ${promise}`, async () => {
      const outcome = await scenario.run('short', SEED);
      console.info(reportOf(scenario, SEED, outcome));
      expect(outcome.violations).toEqual([]);
    });
  }
});
