// Checks the types of everything: tsc where there is TypeScript, svelte-check where there are components.
import './require-node.js';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root, run } from './run.js';

const tsc = ['sdk', 'api', '.config'].map((folder) => ['tsc', '-p', `${folder}/tsconfig.json`]);
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

const commands = [...tsc, ...(existsSync(path.join(root, 'widget/tsconfig.json')) ? [svelteCheck('widget')] : [])];
const results = await Promise.all(
  commands.map(async ([command = '', ...args]) => ({
    line: [command, ...args].join(' '),
    ...(await run(command, args)),
  })),
);
const failed = results.filter(({ code }) => code !== 0);
for (const { line, output } of failed) console.error(`✗ ${line}\n${output}`);

const [command = '', ...args] = svelteCheck('.config/canary');
const canary = await run(command, args);
const isAlive = canary.code !== 0 && canary.output.includes("Type 'string' is not assignable to type 'number'");
if (!isAlive) console.error(`✗ svelte-check did not find the error in .config/canary/canary.svelte:\n${canary.output}`);

process.exit(failed.length === 0 && isAlive ? 0 : 1);
