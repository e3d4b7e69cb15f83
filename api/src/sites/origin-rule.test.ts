import { describe, expect, it, test } from 'vitest';
import { isForTestsOnly, isOriginAllowed, parseOriginRule, readOriginRule } from './origin-rule.ts';

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
  ])('accepts %s', (origin) => {
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

  test('an empty list accepts nothing', () => {
    expect(isOriginAllowed('https://good.example', [])).toBe(false);
  });

  test('null is accepted only if it is listed', () => {
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
    ['ftp://example.com', 'begins with https:// or http://'],
    ['', 'not an origin'],
  ])('refuses "%s" with a reason', (entry, why) => {
    expect(() => parseOriginRule(entry)).toThrow(why);
  });
});

describe('S31 isForTestsOnly', () => {
  it.each([
    'http://localhost',
    'http://localhost.:3000',
    'http://LOCALHOST..:3000',
    'http://shop.localhost',
    'https://*.shop.localhost',
    'https://*.shop.localhost.',
    'http://localhost.localdomain',
    'http://ip6-localhost',
    'http://127.0.0.1',
    'http://127.0.0.1.:3000',
    'http://127.9.9.9',
    'http://127.1',
    'http://2130706433:3000',
    'http://0x7f.1',
    'http://0177.0.0.1',
    'http://0.0.0.0:3000',
    'http://0:3000',
    'http://0.1.2.3',
    'http://[::1]',
    'http://[0:0:0:0:0:0:0:1]',
    'http://[::]:3000',
    'http://[::ffff:127.0.0.1]',
    'http://[::ffff:7f00:1]:3000',
    'http://[::ffff:0.0.0.0]',
    'http://[::127.0.0.1]',
    'http://[::ffff:0:127.0.0.1]',
    'http://[64:ff9b::127.0.0.1]',
    'http://localhost:*',
    'http://127.0.0.1:*',
    'http://[::1]:*',
    'null',
  ])('is true for %s', (entry) => {
    expect(isForTestsOnly(parseOriginRule(entry))).toBe(true);
  });

  it.each([
    'https://good.example',
    'https://*.good.example',
    'https://localhost.example',
    'https://notlocalhost',
    'https://127.0.0.1.example',
    'https://10.0.0.1',
    'https://128.0.0.1',
    'https://1.127.0.0',
    'https://[2001:db8::1]',
    'https://[::ffff:192.0.2.1]',
    'https://[2001:db8::127.0.0.1]',
  ])('is false for %s', (entry) => {
    expect(isForTestsOnly(parseOriginRule(entry))).toBe(false);
  });
});

describe('S31 wildcard', () => {
  it.each([
    ['a registry', 'https://*.co.uk'],
    ['a registry, with a dot behind', 'https://*.co.uk.'],
    ['a registry, on a port', 'https://*.co.uk:8443'],
    ['a host of many owners', 'https://*.github.io'],
    ['a host of many owners, in capitals', 'https://*.GitHub.IO'],
    ['a cloud', 'https://*.s3.amazonaws.com'],
    ['a domain all of whose names are registries', 'https://*.ck.ck'],
    ['a domain under which all names are others’', 'https://*.compute.amazonaws.com'],
    ['a registry in another script', 'https://*.公司.cn'],
    ['the same as it is sent', 'https://*.xn--55qx5d.cn'],
  ])('over %s is refused, with a suggestion', (_, entry) => {
    expect(() => parseOriginRule(entry)).toThrow(/anybody can have a name under [^ ]+; write a domain of your own/);
  });

  it.each(['https://*.1.2.3.4', 'https://*.[2001:db8::1]', 'https://*.com', 'https://*.com.'])(
    'over a host without subdomains, or with one label, is refused: %s',
    (entry) => {
      expect(() => parseOriginRule(entry)).toThrow();
    },
  );

  it.each([
    'https://*.example.com',
    'https://*.example.co.uk',
    'https://*.me.github.io',
    'https://*.intranet.corp',
    'https://*.shop.localhost',
  ])('over a private domain is accepted: %s', (entry) => {
    expect(parseOriginRule(entry).kind).toBe('subdomains');
  });

  it('that was stored before it was refused is ignored', () => {
    expect(readOriginRule('https://*.github.io')).toBeNull();
    expect(readOriginRule('https://*.example.com')).not.toBeNull();
  });
});
