import { describe, expect, test } from 'vitest';
import { parseRedisUrl } from './client.ts';

describe('REDIS_URL', () => {
  test.each([
    'redis://localhost',
    'redis://127.0.0.1:6380/2',
    'rediss://us:secret@redis.example:6379',
    'redis://[::1]:6379',
  ])('of one server is taken as it is: %s', (url) => {
    expect(parseRedisUrl(url)).toEqual({ kind: 'single', url });
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

  test.each([
    ['percent-encoded', 'us:p%40ss%2Fword', { username: 'us', password: 'p@ss/word' }],
    ['with colons', 'us:a:b:c', { username: 'us', password: 'a:b:c' }],
    ['without a user', ':secret', { password: 'secret' }],
  ])('takes a password %s', (_, credentials, options) => {
    expect(parseRedisUrl(`redis+cluster://${credentials}@one:6379`)).toMatchObject({ options });
  });

  test.each([
    'localhost:6379',
    'http://one',
    'redis://',
    'redis+cluster://one:port',
    'redis+cluster://one:6379,',
    'redis+sentinel://one:26379',
    'redis+cluster://us:%zz-secret@one:6379',
    'redis://us:secret@one:6379?password=secret',
  ])('refuses %s, and repeats nothing of it', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/^an? /);
    expect(() => parseRedisUrl(url)).not.toThrow(/secret/);
  });
});
