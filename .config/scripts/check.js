// Everything CI asks for, one line a step: types, lint, format, cycles, lock file, tests, sizes, packages, unused code.
// It goes on after a failure, so that one run tells all. `npm run check -- types lint` runs some.
import './require-node.js';
import { constants } from 'node:os';
import { run, secondsSince } from './run.js';

const LOW_PRIORITY = constants.priority.PRIORITY_LOW;

/** @typedef {{ command: [string, ...string[]], isShown?: boolean, needsBuild?: boolean }} Step */

/**
 * Steps. The tests build what those with `needsBuild` read, which run after them. All others run beside the tests, one
 * after the other and with what these leave of the processors: tests wait a tenth of the time. @type {Record<string, Step>}
 */
const STEPS = {
  types: { command: ['node', '.config/scripts/check-types.js'] },
  lint: { command: ['eslint', '--config', '.config/eslint.config.js', '--max-warnings', '0', '.'] },
  format: {
    command: ['prettier', '--config', '.config/prettier.json', '--ignore-path', '.gitignore', '--check', '.'],
  },
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
  'lock file': { command: ['node', '.config/scripts/check-lockfile.js'] },
  tests: { command: ['node', '.config/scripts/test.js'], isShown: true },
  sizes: { command: ['node', '.config/scripts/check-bundle-size.js'], isShown: true, needsBuild: true },
  packages: { command: ['node', '.config/scripts/check-packages.js'], needsBuild: true },
  unused: { command: ['knip', '--config', '.config/knip.json', '--no-progress'], needsBuild: true },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(STEPS, name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; choose from ${Object.keys(STEPS).join(', ')}.`);
  process.exit(1);
}

/** @typedef {{ line: string, code: number }} Result */

const chosen = Object.keys(STEPS).filter((name) => asked.length === 0 || asked.includes(name));
/** @type {Result[]} */
const results = [];
const beside = chosen.filter((name) => name !== 'tests' && !STEPS[name]?.needsBuild);
const afterwards = chosen.filter((name) => STEPS[name]?.needsBuild);
if (chosen.includes('tests')) {
  await Promise.all([oneAfterTheOther(['tests']), oneAfterTheOther(beside, LOW_PRIORITY)]);
} else {
  await Promise.all([oneAfterTheOther(beside), oneAfterTheOther(beside)]);
}
await oneAfterTheOther(afterwards);

/** Takes steps off the list until there are none. @param {string[]} names @param {number} [priority] */
async function oneAfterTheOther(names, priority) {
  for (let name = names.shift(); name !== undefined; name = names.shift()) results.push(await take(name, priority));
}

/** @param {string} name @param {number} [priority] @returns {Promise<Result>} */
async function take(name, priority) {
  const {
    command: [program, ...args],
    isShown = false,
  } = /** @type {Step} */ (STEPS[name]);
  const startedAt = performance.now();
  const { code, output } = await run(program, args, { isShown, priority });
  const line = `${code === 0 ? '✓' : '✗'} ${name.padEnd(10)} ${secondsSince(startedAt).padStart(8)}`;
  if (code !== 0 && !isShown) console.log(output);
  console.log(line);
  return { line, code };
}

const failed = results.filter(({ code }) => code !== 0);
if (failed.length > 0) {
  console.error(`\nFailed:\n${failed.map(({ line }) => line).join('\n')}`);
  process.exit(1);
}
