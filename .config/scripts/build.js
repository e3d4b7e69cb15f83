// Builds what is published and served: sdk/dist, widget/dist, api/dist. Stale output is removed first. `--unchecked` leaves
// the types to `npm run types`, which checks those of everything: that is two thirds of the work.
import './require-node.js';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { mustRun, root, secondsSince } from './run.js';

const startedAt = performance.now();
await Promise.all(
  ['sdk', 'widget', 'api'].map((name) => rm(path.join(root, name, 'dist'), { recursive: true, force: true })),
);

const isUnchecked = process.argv.includes('--unchecked');
/** @param {string} name */
const compile = (name) => mustRun('tsc', ['-p', `${name}/tsconfig.build.json`, ...(isUnchecked ? ['--noCheck'] : [])]);

// The API reads the SDK's types from its dist; the widget bundles the SDK's source or its dist.
await compile('sdk');
await Promise.all([
  mustRun('npm', ['run', '--silent', 'build', '-w', 'widget']),
  compile('api'),
  cp(path.join(root, 'api/src/state/redis/lua'), path.join(root, 'api/dist/state/redis/lua'), { recursive: true }),
]);
console.log(`Built sdk, widget and api in ${secondsSince(startedAt)}.`);
