import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(root, 'docs/security.md'), 'utf8');

/** Rows of the page: number, threat, and the test files for it. */
const rows = [...page.matchAll(/^\| (S\d+) +\|([^|]+)\|[^|]+\|([^|]+)\|$/gm)].map(([, id, threat, shown]) => ({
  id: id!,
  threat: threat!.trim(),
  files: [...shown!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!),
}));

/** Number of threats. Removing one from the page has to change this number. */
const THREATS = 37;

describe('docs/security.md', () => {
  test('numbers every threat, each once', () => {
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: THREATS }, (_, index) => `S${index + 1}`));
  });

  test.each(rows)('$id, $threat: each file it names has a test whose title begins with it', ({ id, files }) => {
    expect(files).not.toEqual([]);
    const titled = new RegExp(`['"\`](S\\d+ )*${id}\\b`);
    for (const file of files) {
      expect(existsSync(path.join(root, file)), file).toBe(true);
      expect(readFileSync(path.join(root, file), 'utf8'), file).toMatch(titled);
    }
  });
});
