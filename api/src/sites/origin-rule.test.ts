import { describe, expect, test } from 'vitest';
import { isOriginAllowed, parseOriginRule } from './origin-rule.ts';

const rules = [
  'https://good.example',
  'https://*.wild.example',
  'http://localhost:*',
  'https://xn--mnchen-3ya.example',
].map(parseOriginRule);

describe('isOriginAllowed', () => {
  test.each([
    'https://good.example',
    'https://a.wild.example',
    'https://a.b.wild.example',
    'http://localhost',
    'http://localhost:8080',
    'https://xn--mnchen-3ya.example',
  ])('lets %s in', (origin) => {
    expect(isOriginAllowed(origin, rules)).toBe(true);
  });

  test.each([
    ['another site', 'https://evil.example'],
    ['the name as a prefix', 'https://good.example.evil.com'],
    ['the name as a suffix', 'https://evil-good.example'],
    ['the name as user info', 'https://good.example@evil.com'],
    ['another scheme', 'http://good.example'],
    ['another port', 'https://good.example:8443'],
    ['the default port written out', 'https://good.example:443'],
    ['upper case', 'https://GOOD.example'],
    ['a trailing dot', 'https://good.example.'],
    ['a trailing slash', 'https://good.example/'],
    ['a path', 'https://good.example/page'],
    ['a subdomain of an exact entry', 'https://www.good.example'],
    ['the bare domain of a wildcard', 'https://wild.example'],
    ['a label glued to a wildcard', 'https://evilwild.example'],
    ['a wildcard over plain http', 'http://a.wild.example'],
    ['a wildcard on another port', 'https://a.wild.example:444'],
    ['localhost over https', 'https://localhost'],
    ['a host that begins like localhost', 'http://localhost.evil.com'],
    ['a name in its Unicode form', 'https://münchen.example'],
    ['a look-alike letter', 'https://gооd.example'],
    ['null', 'null'],
    ['two headers, as Node joins them', 'https://good.example, https://evil.example'],
    ['an empty header', ''],
    ['no header', undefined],
    ['junk', '%%%'],
  ])('refuses %s', (_, origin) => {
    expect(isOriginAllowed(origin, rules)).toBe(false);
  });

  test('an empty list allows nothing', () => {
    expect(isOriginAllowed('https://good.example', [])).toBe(false);
  });

  test('null is let in only where a site says so', () => {
    expect(isOriginAllowed('null', [parseOriginRule('null')])).toBe(true);
  });
});

describe('parseOriginRule', () => {
  test.each([
    ['*', 'wildcard'],
    ['https://*', 'wildcard'],
    ['https://*.com', 'at least two labels'],
    ['http://*.example.com', 'wildcard'],
    ['https://a.*.example.com', 'wildcard'],
    ['https://example.com:*', 'localhost'],
    ['https://example.com/', 'without a path'],
    ['https://example.com/page', 'without a path'],
    ['https://user@example.com', 'without a path'],
    ['example.com', 'not an origin'],
    ['ftp://example.com', 'http or https'],
    ['', 'not an origin'],
  ])('refuses "%s" and says why', (entry, why) => {
    expect(() => parseOriginRule(entry)).toThrow(why);
  });
});
