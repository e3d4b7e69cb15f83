import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { lockHoles } from '../scripts/check-lockfile.js';

interface Entry {
  version?: string;
  hasInstallScript?: boolean;
  optionalDependencies?: Record<string, string>;
}
const root = path.resolve(import.meta.dirname, '../..');
const lock = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Entry>;
};
const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
  allowScripts: Record<string, boolean>;
};

/** First release of each package without a known way to crash or deceive a server. */
const FLOORS: Record<string, string> = {
  'socket.io': '4.8.4',
  'engine.io': '6.6.10',
  'socket.io-parser': '4.2.7',
  ws: '8.21.1',
  koa: '3.1.2',
  '@koa/cors': '5.0.0',
};

const nameOf = (where: string): string => where.slice(where.lastIndexOf('node_modules/') + 'node_modules/'.length);
const installed = Object.entries(lock.packages).filter(([where]) => where.includes('node_modules/'));

function isAtLeast(version: string, floor: string): boolean {
  if (version.includes('-')) return false;
  const [have, want] = [version, floor].map((text) => text.split('.').map(Number));
  for (const [index, number] of want!.entries()) {
    if (have![index] !== number) return have![index]! > number;
  }
  return true;
}

it('compares versions by number, and trusts no prerelease', () => {
  expect(['4.8.4', '4.8.10', '4.10.0', '5.0.0'].map((version) => isAtLeast(version, '4.8.4'))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['4.8.3', '4.7.9', '3.9.9', '4.9.0-rc.1'].map((version) => isAtLeast(version, '4.8.4'))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

it('installs no package below the floor that is safe', () => {
  const bound = installed.filter(([where]) => Object.hasOwn(FLOORS, nameOf(where)));
  expect(new Set(bound.map(([where]) => nameOf(where)))).toContain('socket.io-parser');
  const low = bound.filter(([where, { version }]) => !isAtLeast(version ?? '0.0.0', FLOORS[nameOf(where)]!));
  expect(low.map(([where, { version }]) => `${where}@${version}`)).toEqual([]);
});

it('names nothing that it does not hold, and no registry', () => {
  expect(lockHoles(lock as Parameters<typeof lockHoles>[0])).toEqual([]);
});

it('notices a hole, for a nested package too, and a registry', () => {
  const packages = {
    '': { dependencies: { a: '1' } },
    'node_modules/a': { optionalDependencies: { 'a-linux': '1', b: '1' } },
    'node_modules/a/node_modules/b': { dependencies: { c: '1' }, resolved: 'https://registry.example/b.tgz' },
  };
  expect(lockHoles({ packages })).toEqual([
    'node_modules/a names a-linux, which has no entry',
    'node_modules/a/node_modules/b names c, which has no entry',
    'node_modules/a/node_modules/b is tied to https://registry.example/b.tgz',
  ]);
});

it('pins every dependency of the workspace exactly', async () => {
  const folders = Object.keys(lock.packages).filter((where) => !where.includes('node_modules/'));
  const loose: string[] = [];
  for (const folder of folders) {
    const text = await readFile(path.join(root, folder, 'package.json'), 'utf8');
    const json = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
    for (const field of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      for (const [name, version] of Object.entries(json[field] ?? {})) {
        if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) loose.push(`${folder || '.'}: ${name} ${version}`);
      }
    }
  }
  expect(loose).toEqual([]);
});

it('allows install scripts by name, and only to packages that have one', () => {
  const withScripts = new Set(
    installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([where]) => nameOf(where)),
  );
  expect(Object.keys(manifest.allowScripts).filter((name) => !withScripts.has(name))).toEqual([]);
});
