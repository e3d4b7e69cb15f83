import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** A cycle that only types make, and a chain. */
const FILES: Readonly<Record<string, string>> = {
  'cycle-a.ts': `import { b } from './cycle-b.ts';\nexport const a = (): number => b;\n`,
  'cycle-b.ts': `import type { a } from './cycle-a.ts';\nexport const b = 1;\nexport type A = typeof a;\n`,
  'chain-a.ts': `import { b } from './chain-b.ts';\nexport const a = (): number => b;\n`,
  'chain-b.ts': `export const b = 1;\n`,
};
let said: string;

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'passerby-cycles-'));
  try {
    for (const [name, text] of Object.entries(FILES)) await writeFile(path.join(folder, name), text);
    const cruiser = path.join(root, 'node_modules/.bin/depcruise');
    const args = [cruiser, '--config', '.config/dependency-cruiser.js', path.relative(root, folder)];
    ({ stdout: said } = await promisify(execFile)(process.execPath, args, { cwd: root }).catch(
      (error: { stdout: string }) => error,
    ));
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('finds a cycle, even one that only types make', () => {
  expect(said).toMatch(/error no-circular: .*cycle-a\.ts/);
});

it('is content with a chain', () => {
  expect(said).toMatch(/4 modules, 3 dependencies cruised/);
  expect(said).not.toContain('chain-');
});
