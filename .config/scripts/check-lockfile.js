// Fails when package-lock.json names a dependency that has no entry (npm ci then fails on some
// platform), or carries the address of a registry (then it installs from nowhere else).
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from './run.js';

/**
 * Faults of a lock file, one sentence each.
 *
 * @param {{ packages: Record<string, { resolved?: string, link?: boolean, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }> }} lock
 * @returns {string[]}
 */
export function lockHoles({ packages }) {
  const holes = [];
  for (const [where, entry] of Object.entries(packages)) {
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
      if (!isFound(packages, where, name)) holes.push(`${where || 'the root'} names ${name}, which has no entry`);
    }
    if (/^[a-z+]+:\/\//.test(entry.resolved ?? '')) holes.push(`${where} is tied to ${entry.resolved}`);
  }
  return holes;
}

/**
 * Resolves as Node does: `node_modules/<name>` beside the package, then in each folder above. @param {object} packages
 * @param {string} where @param {string} name
 */
function isFound(packages, where, name) {
  for (let folder = where; ; folder = path.posix.dirname(folder)) {
    if (folder === '.') folder = '';
    if (Object.hasOwn(packages, path.posix.join(folder, 'node_modules', name))) return true;
    if (folder === '') return false;
  }
}

if (import.meta.filename === path.resolve(process.argv[1] ?? '')) {
  const holes = lockHoles(JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')));
  if (holes.length > 0) {
    console.error(`package-lock.json:\n  ${holes.join('\n  ')}`);
    process.exit(1);
  }
}
