// Checks the types of everything, and the rules that go by types: oxlint where there is TypeScript, svelte-check where
// there are components.
import './require-node.js';
import { run } from './run.js';

const oxlint = (/** @type {string[]} */ ...what) => ['oxlint', '--config', '.config/oxlint.json', ...what];
const svelteCheck = (/** @type {string} */ folder) => [
  'svelte-check',
  '--workspace',
  folder,
  '--tsconfig',
  './tsconfig.json',
  '--output',
  'human',
  '--fail-on-warnings',
];

const results = await Promise.all(
  [oxlint('--ignore-pattern', '.config/type-check-canary', '.'), svelteCheck('widget')].map(
    async ([command = '', ...args]) => ({
      line: [command, ...args].join(' '),
      ...(await run(command, args)),
    }),
  ),
);
const failed = results.filter(({ code }) => code !== 0);
for (const { line, output } of failed) console.error(`✗ ${line}\n${output}`);

const NOT_A_NUMBER = "Type 'string' is not assignable to type 'number'";
/** Findings that each checker must report in files with known errors: one that reports nothing may have read nothing. */
const canaries = [
  { file: 'WrongTypes.svelte', check: svelteCheck('.config/type-check-canary'), finds: [NOT_A_NUMBER] },
  {
    file: 'wrong-types.ts',
    check: oxlint('.config/type-check-canary/wrong-types.ts'),
    finds: [NOT_A_NUMBER, 'no-floating-promises'],
  },
];
let areAlive = true;
for (const { file, check, finds } of canaries) {
  const [command = '', ...args] = check;
  const { code, output } = await run(command, args);
  if (code !== 0 && finds.every((found) => output.includes(found))) continue;
  areAlive = false;
  console.error(`✗ ${command} did not find what is wrong in .config/type-check-canary/${file}:\n${output}`);
}

process.exit(failed.length === 0 && areAlive ? 0 : 1);
