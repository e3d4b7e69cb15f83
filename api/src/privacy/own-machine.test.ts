import { describe, expect, it } from 'vitest';
import { isLoopback, isOwnMachine, USUAL_OWN_HOSTS } from './own-machine.ts';

/** Returns a host in the form of `URL`. */
const hostIn = (host: string) => new URL(`http://${host}`).hostname;

describe('isOwnMachine', () => {
  it.each([
    ...USUAL_OWN_HOSTS,
    'LOCALHOST.',
    'a.localhost',
    'localhost.localdomain',
    'ip6-loopback',
    '127.8.9.1',
    '0.0.0.0',
    '0x7f000001',
    '[::]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::0.0.0.0]',
  ])('accepts %s', (host) => {
    expect(isOwnMachine(hostIn(host))).toBe(true);
  });

  it.each([
    'example.com',
    'localhost.example.com',
    'notlocalhost',
    '128.0.0.1',
    '[::2:0:0]',
    '[::ffff:198.51.100.1]',
    '[64:ff9b::198.51.100.1]',
    '[64:ff9b:1::127.0.0.1]',
    '[2001:db8::127.0.0.1]',
  ])('refuses %s', (host) => {
    expect(isOwnMachine(hostIn(host))).toBe(false);
  });
});

describe('isLoopback', () => {
  it.each([...USUAL_OWN_HOSTS, '::1', 'LocalHost', '127.8.8.8'])('accepts the address of %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '[::]', '127.0.0.1.example.com', '127.0.0.999', 'a.localhost', '', '::1 '])(
    'refuses the address of %s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});
