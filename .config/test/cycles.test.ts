import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

async function cruise(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(path.join(root, '.config/test/cycle-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        path.join(root, 'node_modules/.bin/depcruise'),
        '--config',
        '.config/dependency-cruiser.js',
        path.relative(root, folder),
      ],
      { cwd: root },
    ).catch((error: { stdout: string }) => error);
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

it('finds a cycle, even one that only types make', async () => {
  const said = await cruise({
    'a.ts': `import { b } from './b.ts';\nexport const a = (): number => b;\n`,
    'b.ts': `import type { a } from './a.ts';\nexport const b = 1;\nexport type A = typeof a;\n`,
  });
  expect(said).toMatch(/error no-circular: .*a\.ts/);
});

it('is content with a chain', async () => {
  const said = await cruise({
    'a.ts': `import { b } from './b.ts';\nexport const a = (): number => b;\n`,
    'b.ts': `export const b = 1;\n`,
  });
  expect(said).toMatch(/no dependency violations found \(2 modules, 1 dependencies cruised\)/);
});
