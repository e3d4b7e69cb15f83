import { describe, expect, test } from 'vitest';
import { SCENARIOS } from './registry.ts';
import { reportOf } from './scenario.ts';

const SEED = Number(process.env['PASSERBY_SEED'] || 1);

describe(`conversations on two nodes, in full (PASSERBY_SEED=${SEED})`, () => {
  for (const scenario of SCENARIOS) {
    const { name, promise, timeoutMs } = scenario;
    if (timeoutMs.deep === undefined) continue;
    test(`${name}: ${promise}`, { timeout: timeoutMs.deep }, async () => {
      const outcome = await scenario.run('deep', SEED);
      console.info(reportOf(scenario, SEED, outcome));
      expect(outcome.violations).toEqual([]);
    });
  }
});
