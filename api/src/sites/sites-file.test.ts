import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSitesFile } from './sites-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'passerby-sites-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function fileOf(content: unknown): string {
  const path = join(directory, 'sites.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('readSitesFile', () => {
  test('a site needs a key, a name and its origins; the policy has defaults', () => {
    const [site] = readSitesFile(
      fileOf({ sites: [{ key: 'pk_test_shop', name: 'Shop', origins: ['https://shop.example'] }] }),
    );
    expect(site).toMatchObject({
      key: 'pk_test_shop',
      settings: { interests: [], isFreeInterests: true, inactivityMs: 600_000, proofOfWork: 'under_pressure' },
    });
  });

  test.each([
    [
      'an origin twice',
      { sites: [{ key: 'pk_test_shop', name: 'Shop', origins: ['null', 'null'] }] },
      'each origin once',
    ],
    ['no JSON', '{', 'SITES_FILE: the file is not valid JSON'],
    ['an unknown key', { sites: [{ key: 'pk_test_shop', name: 'Shop', origins: [], orgins: [] }] }, 'orgins'],
    ['a secret key', { sites: [{ key: 'sk_live_secret', name: 'Shop', origins: [] }] }, 'key'],
    [
      'an origin that anybody can have',
      { sites: [{ key: 'pk_test_shop', name: 'Shop', origins: ['https://*.github.io'] }] },
      'anybody can have a name under github.io',
    ],
    ['a bad origin', { sites: [{ key: 'pk_test_shop', name: 'Shop', origins: ['shop.example'] }] }, 'not an origin'],
    [
      'a key twice',
      { sites: [1, 2].map((n) => ({ key: 'pk_test_shop', name: `Shop ${n}`, origins: [] })) },
      'two sites have the same key',
    ],
  ])('%s is refused with the place and the reason', (_, content, message) => {
    expect(() => readSitesFile(fileOf(content))).toThrow(message);
  });
});
