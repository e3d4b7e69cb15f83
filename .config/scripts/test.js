// Builds, then runs every test: plain, redis, postgres, browser, e2e. `npm test -- plain` runs one kind; `deep`, the
// long profiles that `npm run test:deep` is for, only runs when it is asked for. The last line is
// the total, alone: `N passed, N failed`. Before it, once more, what failed. A kind that runs no test has failed.
import './require-node.js';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ensureOsTools } from './ensure-os-tools.js';
import { mustRun, root, run } from './run.js';

/** @typedef {{ passed: number, failed: number, skipped: number, failures: readonly string[] }} Counts */

const results = path.join(root, 'test-results');

/** @param {string} config @param {string} report @returns {Promise<Counts>} */
async function vitest(config, report) {
  const file = path.join(results, report);
  await rm(file, { force: true });
  const { code } = await run(
    'vitest',
    ['run', '--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    { isShown: true },
  );
  const json = await readJson(file);
  return honest(code, {
    passed: json?.numPassedTests ?? 0,
    failed: json?.numFailedTests ?? 0,
    skipped: (json?.numPendingTests ?? 0) + (json?.numTodoTests ?? 0),
    failures: (json?.testResults ?? []).flatMap(failuresOfFile),
  });
}

/** @param {string} project @param {string} report @returns {Promise<Counts>} */
async function playwright(project, report) {
  const file = path.join(results, report);
  await rm(file, { force: true });
  const { code } = await run(
    'playwright',
    ['test', '--config', '.config/playwright.config.ts', '--project', project, '--reporter=list,json'],
    { isShown: true, env: { PLAYWRIGHT_JSON_OUTPUT_FILE: file } },
  );
  const json = await readJson(file);
  const stats = json?.stats;
  return honest(code, {
    passed: (stats?.expected ?? 0) + (stats?.flaky ?? 0),
    failed: stats?.unexpected ?? 0,
    skipped: stats?.skipped ?? 0,
    failures: (json?.suites ?? []).flatMap(failuresOfSuite),
  });
}

/** @param {{ name: string, assertionResults: { status: string, fullName: string, failureMessages?: string[] }[] }} file of vitest's report */
function failuresOfFile({ name, assertionResults }) {
  return assertionResults
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages = [] }) => failure(path.relative(root, name), fullName, failureMessages[0]));
}

/**
 * @typedef {{ ok: boolean, title: string, tests: { results: { error?: { message?: string } }[] }[] }} Spec
 * @typedef {{ file: string, title: string, specs?: Spec[], suites?: Suite[] }} Suite
 * @param {Suite} suite of Playwright's report
 * @returns {string[]}
 */
function failuresOfSuite({ file, specs = [], suites = [] }) {
  const own = specs
    .filter(({ ok }) => !ok)
    .map(({ title, tests }) => failure(file, title, tests[0]?.results.at(-1)?.error?.message));
  return [...own, ...suites.flatMap(failuresOfSuite)];
}

/** @param {string} file @param {string} title @param {string} [message] */
const failure = (file, title, message = '') =>
  `${file} › ${title}\n    ${stripVTControlCharacters(message).split('\n', 1)[0]}`;

/**
 * Counts a runner that failed without a failing test, or ran no test, as one failure. @param {number} code @param
 * {Counts} counts @returns {Counts}
 */
function honest(code, counts) {
  if (counts.failed > 0 || (code === 0 && counts.passed > 0)) return counts;
  console.error(code === 0 ? 'No test ran.' : `The runner ended with code ${code} outside any test.`);
  return { ...counts, failed: 1 };
}

/** @param {Counts} one @param {Counts} other @returns {Counts} */
const both = (one, other) => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: one.skipped + other.skipped,
  failures: [...one.failures, ...other.failures],
});

/** @param {string} file */
const readJson = (file) => readFile(file, 'utf8').then(JSON.parse, () => undefined);

/** @type {Record<string, { isThere: boolean, isOnlyAsked?: boolean, needs: string[], run: () => Promise<Counts> }>} */
const KINDS = {
  plain: { isThere: true, needs: [], run: () => vitest('.config/vitest.config.ts', 'plain.json') },
  redis: {
    isThere: true,
    needs: ['redis-server'],
    run: () => vitest('.config/vitest.redis.config.ts', 'redis.json'),
  },
  postgres: {
    isThere: true,
    needs: [],
    run: () => vitest('.config/vitest.postgres.config.ts', 'postgres.json'),
  },
  browser: {
    isThere: existsSync(path.join(root, 'widget/vitest.browser.config.ts')),
    needs: ['chromium-headless-shell'],
    run: () => vitest('widget/vitest.browser.config.ts', 'browser.json'),
  },
  deep: {
    isThere: true,
    isOnlyAsked: true,
    needs: ['redis-server', 'chromium-headless-shell', 'firefox-esr', 'webkit2gtk-driver', 'xvfb'],
    run: async () =>
      both(await vitest('.config/vitest.deep.config.ts', 'deep.json'), await playwright('deep', 'deep-e2e.json')),
  },
  e2e: {
    isThere: existsSync(path.join(root, 'widget/test/e2e')),
    needs: ['chromium', 'chromium-headless-shell'],
    run: () => playwright('e2e', 'e2e.json'),
  },
};

const asked = process.argv.slice(2);
const wrong = asked.filter((kind) => !KINDS[kind]?.isThere);
if (wrong.length > 0) {
  console.error(`There are no ${wrong.join(', ')} tests; choose from ${Object.keys(KINDS).join(', ')}.`);
  process.exit(1);
}
const chosen = Object.entries(KINDS).filter(([kind, { isThere, isOnlyAsked = false }]) =>
  asked.length > 0 ? asked.includes(kind) : isThere && !isOnlyAsked,
);

await mkdir(results, { recursive: true });
await ensureOsTools([...new Set(chosen.flatMap(([, { needs }]) => needs))]).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
await mustRun('node', ['.config/scripts/build.js', '--unchecked']);

const total = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const failures = [];
/** @type {string[]} */
const lines = [];
for (const [kind, tests] of chosen) {
  console.log(`\n— ${kind} tests`);
  const counts = await tests.run();
  lines.push(`${kind}: ${sentence(counts)}`);
  failures.push(...counts.failures.map((line) => `✗ ${kind}: ${line}`));
  for (const key of /** @type {const} */ (['passed', 'failed', 'skipped'])) total[key] += counts[key];
}
console.log(`\n${[...failures, ...lines].join('\n')}\n${sentence(total)}`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

/** @param {Omit<Counts, 'failures'>} counts */
function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
