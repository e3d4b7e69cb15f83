import { describe, expect, test } from 'vitest';
import { type ChatOptions, checkOptions } from './options.ts';

const good = { url: 'https://chat.example.org', site: 'pk_test_demo' };
const check = (options: unknown): unknown => checkOptions(options as ChatOptions);

describe('options', () => {
  test('are taken as they are when they are right', () => {
    expect(check(good)).toEqual({ ...good, scope: '' });
    expect(check({ ...good, url: 'http://localhost:3000/', origin: 'http://localhost', scope: 'left' })).toEqual({
      ...good,
      url: 'http://localhost:3000',
      origin: 'http://localhost',
      scope: 'left',
    });
  });

  test.each([
    undefined,
    '',
    'chat.example.org',
    'ws://chat.example.org',
    '/api',
    'https://chat.example.org/api',
    'https://chat.example.org?site=x',
    'https://chat.example.org/#x',
    'https://user:secret@chat.example.org',
    42,
  ])('the url %j is refused by name, with what it should be', (url) => {
    expect(() => check({ ...good, url })).toThrow(/^createChat: "url" must be the address of the service, such as/);
  });

  test.each([undefined, 'demo', 'pk_', 'pk_test_a b', 'sk_secret_key', null])(
    'the site %j is refused by name',
    (site) => {
      expect(() => check({ ...good, site })).toThrow(/^createChat: "site" must be a publishable site key/);
    },
  );

  test.each(['localhost', 'null', 'http://localhost/page'])('the origin %j is refused by name', (origin) => {
    expect(() => check({ ...good, origin })).toThrow(/^createChat: "origin" must be an origin/);
  });

  test.each(['a b', 'x'.repeat(41), 'ä', 7, null])('the scope %j is refused by name', (scope) => {
    expect(() => check({ ...good, scope })).toThrow(/^createChat: "scope" must be at most 40/);
  });

  test('the message says what was given', () => {
    expect(() => check({ ...good, site: 'demo' })).toThrow('got "demo"');
  });

  test.each(['url', 'site', 'origin', 'scope'])('S36 no message repeats a secret key given as %s', (name) => {
    for (const value of ['sk_live_canary', 'https://sk_test_canary-x@chat.example.org', ['sk_live_canary']]) {
      const given = name === 'scope' ? { value } : value;
      expect(() => check({ ...good, [name]: given })).toThrow(/got .*sk_…/);
      expect(() => check({ ...good, [name]: given })).not.toThrow(/canary/);
    }
  });

  test('no options at all is refused like empty ones', () => {
    expect(() => check(undefined)).toThrow(TypeError);
    expect(() => check(null)).toThrow(TypeError);
  });
});

test('claims are a token or what fetches one, and an error never repeats them', () => {
  const fetchOne = (): string => 'a.b.c';
  expect(check({ ...good, claims: 'a.b.c' })).toMatchObject({ claims: 'a.b.c' });
  expect(check({ ...good, claims: fetchOne })).toMatchObject({ claims: fetchOne });
  expect(() => check({ ...good, claims: { secret: 'canary' } })).toThrow(
    /"claims" must be a signed token.*got "object"/,
  );
});
