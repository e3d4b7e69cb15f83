import { describe, expect, test } from 'vitest';
import { isOriginAllowed } from './origin-rule.ts';
import { DEMO_SITE, directoryOf } from './site-directory.ts';

describe('demo site', () => {
  test('is valid for pages of the local machine only', () => {
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
