import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';

describe('readConfig', () => {
  test('listens on loopback, port 3000, unless told', () => {
    expect(readConfig({})).toEqual({ PORT: 3000, HOST: '127.0.0.1', TRUSTED_HOPS: 0, LOG_LEVEL: 'info' });
  });

  test('an empty variable counts as unset', () => {
    expect(readConfig({ PORT: '', HOST: '', SITES_FILE: '' })).toEqual(readConfig({}));
  });

  test.each([
    ['PORT', 'web', 'PORT must be a port number'],
    ['PORT', '70000', 'PORT must be a port from 0 to 65535'],
    ['PORT', '3.5', 'PORT must be a whole number'],
    ['TRUSTED_HOPS', '11', 'TRUSTED_HOPS must be a number from 0 to 10'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of silent, error, warn, info'],
  ])('%s=%s is refused by name, without repeating the value', (name, value, message) => {
    expect(() => readConfig({ [name]: value })).toThrow(message);
    expect(() => readConfig({ [name]: value })).not.toThrow(value);
  });
});
