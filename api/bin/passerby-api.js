#!/usr/bin/env node
// Stands here, and not in dist/, so that npm finds it to link before anything was built; and runs on any Node with
// modules, so that one that is too old gets a sentence instead of a stack.
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = engines.node.replace('>=', '');
const [major, minor] = process.versions.node.split('.').map(Number);
const [neededMajor, neededMinor] = needed.split('.').map(Number);

if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
  process.stderr.write(
    `Passerby needs Node ${needed} or later; this is ${process.versions.node} (${process.execPath}).\n`,
  );
  process.exit(1);
}
await import('../dist/main.js');
