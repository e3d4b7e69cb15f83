import { describe, expect, test } from 'vitest';
import { parseRedisUrl } from './redis-address.ts';

describe('REDIS_URL', () => {
  test.each([
    ['redis://localhost', 'redis://localhost:6379/0', 0],
    ['redis://127.0.0.1:6380/2', 'redis://127.0.0.1:6380/2', 2],
    ['redis://one/', 'redis://one:6379/0', 0],
    ['rediss://us:secret@redis.example:6379', 'rediss://us:secret@redis.example:6379/0', 0],
    ['redis://:p%40s%2Fs:w?rd#1@one/15', 'redis://:p%40s%2Fs%3Aw%3Frd%231@one:6379/15', 15],
    ['redis://us@one', 'redis://us@one:6379/0', 0],
    ['redis://[::1]:6379', 'redis://[::1]:6379/0', 0],
  ])('of one server is parsed: %s', (text, url, db) => {
    expect(parseRedisUrl(text)).toEqual({ kind: 'single', url, db });
    // What ioredis does with it.
    expect(new URL(url).pathname).toBe(`/${db}`);
  });

  test('names Sentinels, and the master they watch', () => {
    expect(parseRedisUrl('redis+sentinel://one:26380,two/main')).toEqual({
      kind: 'sentinel',
      hosts: [
        { host: 'one', port: 26_380 },
        { host: 'two', port: 26_379 },
      ],
      name: 'main',
      options: {},
    });
  });

  test('names masters of a Cluster, with TLS and an ACL user', () => {
    expect(parseRedisUrl('rediss+cluster://us:secret@one:6380,two')).toEqual({
      kind: 'cluster',
      hosts: [
        { host: 'one', port: 6_380 },
        { host: 'two', port: 6_379 },
      ],
      options: { username: 'us', password: 'secret', tls: {} },
    });
  });

  test('accepts IPv6 addresses in a list', () => {
    expect(parseRedisUrl('redis+cluster://[::1]:7000,[fe80::2]')).toMatchObject({
      hosts: [
        { host: '::1', port: 7_000 },
        { host: 'fe80::2', port: 6_379 },
      ],
    });
  });

  test.each([
    ['percent-encoded', 'us:p%40ss%2Fword', { username: 'us', password: 'p@ss/word' }],
    ['with colons', 'us:a:b:c', { username: 'us', password: 'a:b:c' }],
    ['without a user', ':secret', { password: 'secret' }],
  ])('accepts a password %s', (_, credentials, options) => {
    expect(parseRedisUrl(`redis+cluster://${credentials}@one:6379`)).toMatchObject({ options });
  });

  test.each([
    'localhost:6379',
    'http://one',
    'redis://',
    'redis+cluster://one:port',
    'redis+cluster://one:6379,',
    'redis+sentinel://one:26379',
    'redis+sentinel://one:26379/a/b',
    'redis+sentinel://one:26379/%zz',
    'redis+cluster://us:%zz-secret@one:6379',
    'redis+cluster://one:6379/3',
    'redis://us:100%secret@one:6379',
    'redis://user:100%@one:6379',
    'redis://us:%ff%secret@one',
    'redis://one/secret',
    'redis://one/1/2',
    'redis://one/-1',
    'redis://one/999999',
    'redis://one:0',
    'redis://one:65536',
    'redis://one:66secret',
    'redis://one,two',
    'redis://::1',
    'redis://[::1',
    'redis://o ne',
    'redis://one%00',
    'unix:///tmp/secret.sock',
    '/tmp/secret.sock',
    'redis:///tmp/secret.sock',
    'redis://us:secret@one:6379?password=secret',
  ])('refuses %s, and repeats nothing of it', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/^an? /);
    expect(() => parseRedisUrl(url)).not.toThrow(/secret/);
  });
});
