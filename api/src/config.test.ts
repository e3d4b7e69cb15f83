import { describe, expect, test } from 'vitest';
import { readConfig, recordsPlace } from './config.ts';

describe('readConfig', () => {
  test('defaults to loopback, port 3000', () => {
    expect(readConfig({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      TRUSTED_HOPS: 0,
      RATE_LIMIT_FACTOR: 1,
      METRICS_HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
    });
  });

  test('an empty variable counts as unset', () => {
    expect(readConfig({ PORT: '', HOST: '', SITES_FILE: '' })).toEqual(readConfig({}));
  });

  test.each([
    ['PORT', 'web', 'PORT must be a port number'],
    ['PORT', '70000', 'PORT must be a port from 0 to 65535'],
    ['PORT', '3.5', 'PORT must be a whole number'],
    ['TRUSTED_HOPS', '11', 'TRUSTED_HOPS must be a number from 0 to 10'],
    ['DATABASE_URL', 'mysql://root:hunter2@db/passerby', 'DATABASE_URL must be an address such as postgres://'],
    ['DATABASE_URL', 'postgres://root:hunter2@:5432:1/', 'DATABASE_URL must be an address such as postgres://'],
    ['RATE_LIMIT_FACTOR', '-5', 'RATE_LIMIT_FACTOR must be a number from 0.1 to 10000'],
    ['METRICS_TOKEN', 'too-short', 'METRICS_TOKEN must be at least 16 characters without spaces'],
    ['OPERATOR_TOKEN', 'too-short', 'OPERATOR_TOKEN must be at least 32 characters without spaces'],
    ['METRICS_PORT', 'web', 'METRICS_PORT must be a port number'],
    ['SECURITY_CONTACT', 'somebody', 'SECURITY_CONTACT must be a mailto: or https: address'],
    ['PUBLIC_URL', 'ftp://files', 'PUBLIC_URL must be an http or https address'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of silent, error, warn, info'],
  ])('%s=%s is refused by name, without repeating the value', (name, value, message) => {
    expect(() => readConfig({ [name]: value })).toThrow(message);
    expect(() => readConfig({ [name]: value })).not.toThrow(value);
  });

  test('exposes metrics to other machines with a token only', () => {
    const shown = { METRICS_PORT: '9090', METRICS_HOST: '0.0.0.0' };
    expect(() => readConfig(shown)).toThrow('METRICS_TOKEN must be set where METRICS_HOST is not loopback');
    for (const env of [
      { ...shown, METRICS_TOKEN: 'a-token-for-the-scraper' },
      { METRICS_HOST: '0.0.0.0' },
      ...['127.0.0.1', '127.8.8.8', '::1', 'localhost'].map((METRICS_HOST) => ({ METRICS_PORT: '9090', METRICS_HOST })),
    ]) {
      expect(() => readConfig(env)).not.toThrow();
    }
  });

  test('keeps records in a file without a PostgreSQL', () => {
    expect(recordsPlace(readConfig({}))).toEqual({ kind: 'sqlite', folder: './data' });
    expect(recordsPlace(readConfig({ DATA_DIR: '/var/lib/passerby' }))).toEqual({
      kind: 'sqlite',
      folder: '/var/lib/passerby',
    });
    const url = 'postgresql://passerby:secret@db/passerby';
    expect(recordsPlace(readConfig({ DATABASE_URL: url, DATA_DIR: '/x' }))).toEqual({ kind: 'postgres', url });
  });
});
