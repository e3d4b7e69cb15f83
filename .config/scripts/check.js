// Everything CI asks for, one line a step: types, lint, format, cycles, lock file, tests, sizes, packages, unused code.
// It goes on after a failure, so that one run tells all. `npm run check -- types lint` runs some.
import './require-node.js';
import { run, secondsSince } from './run.js';

/** @typedef {{ command: [string, ...string[]], isShown?: boolean }} Step */

/**
 * Steps in order: the tests build what the later steps read. A step with `isShown` runs alone; the others run two at a
 * time. @type {Record<string, Step>}
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
  sizes: { command: ['node', '.config/scripts/check-bundle-size.js'], isShown: true },
  packages: { command: ['node', '.config/scripts/check-packages.js'] },
  unused: { command: ['knip', '--config', '.config/knip.json', '--no-progress'] },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(STEPS, name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; choose from ${Object.keys(STEPS).join(', ')}.`);
  process.exit(1);
}

const AT_ONCE = 2;
/** @typedef {{ line: string, code: number }} Result */

const chosen = Object.keys(STEPS).filter((name) => asked.length === 0 || asked.includes(name));
/** @type {Result[]} */
const results = [];
while (chosen.length > 0) {
  const shownAt = chosen.findIndex((name) => STEPS[name]?.isShown);
  const together = chosen.splice(0, shownAt === -1 ? chosen.length : Math.max(1, shownAt));
  const oneAfterTheOther = async () => {
    for (let name = together.shift(); name !== undefined; name = together.shift()) results.push(await take(name));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, oneAfterTheOther));
}

/** @param {string} name @returns {Promise<Result>} */
async function take(name) {
  const {
    command: [program, ...args],
    isShown = false,
  } = /** @type {Step} */ (STEPS[name]);
  const startedAt = performance.now();
  const { code, output } = await run(program, args, { isShown });
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
