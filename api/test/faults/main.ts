import { readAsked, USAGE, type Asked } from './asked.ts';
import { SCENARIOS } from './registry.ts';
import { reportOf } from './scenario.ts';

async function main({ scenarios, seed, profile }: Asked): Promise<void> {
  for (const scenario of scenarios) {
    const outcome = await scenario.run(profile, seed).catch((error: Error) => ({
      figure: 'did not come to its end',
      violations: [error.stack ?? error.message],
    }));
    console.log(reportOf(scenario, seed, outcome));
    if (outcome.violations.length > 0) process.exitCode = 1;
  }
}

function asked(): Asked | null {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    return null;
  }
  try {
    return readAsked(process.argv.slice(2), process.env['PASSERBY_SEED'], SCENARIOS);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 1;
    return null;
  }
}

const request = asked();
if (request !== null) await main(request);
