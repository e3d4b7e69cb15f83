// Checks the packages as others will install them: packs each into a tarball, then asks publint and attw.
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { mustRun, root, run } from './run.js';

const PUBLISHED = ['sdk', 'widget', 'api'];
const folder = path.join(root, 'test-results/packages');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });

const complaints = [];
for (const name of PUBLISHED) {
  const packed = await mustRun('npm', ['pack', '--json', '--ignore-scripts', '-w', name, '--pack-destination', folder]);
  const tarball = path.join(folder, tarballName(JSON.parse(packed)));
  const { exports = {} } = JSON.parse(await readFile(path.join(root, name, 'package.json'), 'utf8'));
  const files = Object.keys(exports).filter((entry) => entry.endsWith('.json'));
  for (const [command, ...args] of [
    ['publint', tarball, '--strict'],
    ['attw', tarball, '--profile', 'esm-only', '--no-emoji', '--exclude-entrypoints', ...files],
  ]) {
    const { code, output } = await run(command ?? '', args);
    if (code !== 0) complaints.push(`✗ ${name}: ${command}\n${output}`);
  }
}
if (complaints.length > 0) {
  console.error(complaints.join('\n'));
  process.exit(1);
}

/**
 * Returns the file name of a tarball. npm prints a list, or since version 12 a map by package name. @param {any} packed
 * @returns {string}
 */
function tarballName(packed) {
  return Object.values(packed)[0].filename.replace('@', '').replace('/', '-');
}
