import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEMO_SITE, directoryOf, readSitesFile } from './site-directory.ts';
import { isOriginAllowed } from './origin-rule.ts';

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
      policy: { interests: [], isFreeInterests: true, inactivityMs: 600_000 },
    });
  });

  test.each([
    ['no JSON', '{', 'sites.json'],
    ['an unknown key', { sites: [{ key: 'pk_test_shop', name: 'Shop', origins: [], orgins: [] }] }, 'orgins'],
    ['a secret key', { sites: [{ key: 'sk_live_secret', name: 'Shop', origins: [] }] }, 'key'],
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

describe('the demo site', () => {
  test('is for pages of this machine only', () => {
    for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5000', 'http://[::1]:80']) {
      expect(isOriginAllowed(new URL(origin).origin, DEMO_SITE.origins)).toBe(true);
    }
    expect(isOriginAllowed('https://example.com', DEMO_SITE.origins)).toBe(false);
  });

  test('a key that is a name of Object.prototype finds nothing', () => {
    expect(directoryOf([DEMO_SITE]).find('__proto__')).toBeUndefined();
    expect(directoryOf([DEMO_SITE]).find('constructor')).toBeUndefined();
  });
});
