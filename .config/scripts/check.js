// Everything CI asks for, one line a step: types, lint, cycles, lock file, tests, sizes, packages, unused code.
// It goes on after a failure, so that one run tells all. `npm run check -- types lint` runs some.
import './require-node.js';
import { run, secondsSince } from './run.js';

/** In order: the tests build what the later steps look at. @type {Record<string, { command: [string, ...string[]], isShown?: boolean }>} */
const STEPS = {
  types: { command: ['node', '.config/scripts/types.js'] },
  lint: { command: ['npm', 'run', '--silent', 'lint'] },
  cycles: {
    command: [
      'depcruise',
      '--config',
      '.config/dependency-cruiser.js',
      'sdk/src',
      'widget/src',
      'api/src',
      'examples',
      '.config',
    ],
  },
  'lock file': { command: ['node', '.config/scripts/lock-holes.js'] },
  tests: { command: ['node', '.config/scripts/test.js'], isShown: true },
  sizes: { command: ['node', '.config/scripts/sizes.js'], isShown: true },
  packages: { command: ['node', '.config/scripts/packages.js'] },
  unused: { command: ['knip', '--config', '.config/knip.json', '--no-progress'] },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(STEPS, name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; choose from ${Object.keys(STEPS).join(', ')}.`);
  process.exit(1);
}

const lines = [];
for (const [name, { command, isShown = false }] of Object.entries(STEPS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const startedAt = performance.now();
  const [program, ...args] = command;
  const { code, output } = await run(program, args, { isShown });
  const line = `${code === 0 ? '✓' : '✗'} ${name.padEnd(10)} ${secondsSince(startedAt).padStart(8)}`;
  lines.push({ line, code });
  if (code !== 0 && !isShown) console.log(output);
  console.log(line);
}

const failed = lines.filter(({ code }) => code !== 0);
if (failed.length > 0) {
  console.error(`\nFailed:\n${failed.map(({ line }) => line).join('\n')}`);
  process.exit(1);
}
