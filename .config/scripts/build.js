// Builds what is published and served: sdk/dist, widget/dist, api/dist. Stale output is removed first.
import './require-node.js';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { mustRun, root, secondsSince } from './run.js';

const startedAt = performance.now();
await Promise.all(
  ['sdk', 'widget', 'api'].map((name) => rm(path.join(root, name, 'dist'), { recursive: true, force: true })),
);

// The API reads the SDK's types from its dist; the widget bundles the SDK's source or its dist.
await mustRun('tsc', ['-p', 'sdk/tsconfig.build.json']);
await Promise.all([
  mustRun('npm', ['run', '--silent', 'build', '-w', 'widget']),
  mustRun('npm', ['run', '--silent', 'build', '-w', 'api']),
]);
console.log(`Built sdk, widget and api in ${secondsSince(startedAt)}.`);
