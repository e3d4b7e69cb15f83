import { describe, expect, test } from 'vitest';
import { type ChatOptions, checkOptions } from './options.ts';

const good = { url: 'https://chat.example.org', site: 'pk_test_demo' };
const check = (options: unknown): unknown => checkOptions(options as ChatOptions);

describe('options', () => {
  test('are accepted unchanged if they are valid', () => {
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
  ])('refuse the url %j by name, with the expected form', (url) => {
    expect(() => check({ ...good, url })).toThrow(/^createChat: "url" must be the address of the service, such as/);
  });

  test.each([undefined, 'demo', 'pk_', 'pk_test_a b', 'sk_secret_key', null])('refuse the site %j by name', (site) => {
    expect(() => check({ ...good, site })).toThrow(/^createChat: "site" must be a publishable site key/);
  });

  test.each(['localhost', 'null', 'http://localhost/page'])('refuse the origin %j by name', (origin) => {
    expect(() => check({ ...good, origin })).toThrow(/^createChat: "origin" must be an origin/);
  });

  test.each(['a b', 'x'.repeat(41), 'ä', 7, null])('refuse the scope %j by name', (scope) => {
    expect(() => check({ ...good, scope })).toThrow(/^createChat: "scope" must be at most 40/);
  });

  test('name the given value in the message', () => {
    expect(() => check({ ...good, site: 'demo' })).toThrow('got "demo"');
  });

  test.each(['url', 'site', 'origin', 'scope'])('S36 repeat no secret key given as %s in a message', (name) => {
    for (const value of ['sk_live_canary', 'https://sk_test_canary-x@chat.example.org', ['sk_live_canary']]) {
      const given = name === 'scope' ? { value } : value;
      expect(() => check({ ...good, [name]: given })).toThrow(/got .*sk_…/);
      expect(() => check({ ...good, [name]: given })).not.toThrow(/canary/);
    }
  });

  test('refuse missing options like empty ones', () => {
    expect(() => check(undefined)).toThrow(TypeError);
    expect(() => check(null)).toThrow(TypeError);
  });
});

test('accept claims as a token or a function, and never repeat them in an error', () => {
  const fetchOne = (): string => 'a.b.c';
  expect(check({ ...good, claims: 'a.b.c' })).toMatchObject({ claims: 'a.b.c' });
  expect(check({ ...good, claims: fetchOne })).toMatchObject({ claims: fetchOne });
  expect(() => check({ ...good, claims: { secret: 'canary' } })).toThrow(
    /"claims" must be a signed token.*got "object"/,
  );
});
