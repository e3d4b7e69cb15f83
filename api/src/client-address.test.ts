import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { addressPrefix, clientAddress } from './client-address.ts';

function requestFrom(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

describe('S3 clientAddress', () => {
  test.each([
    ['is the connection’s where no proxy is trusted, whatever is claimed', 0, '10.0.0.1', '198.51.100.1', '10.0.0.1'],
    ['is the last entry behind one proxy', 1, '10.0.0.1', '6.6.6.6, 198.51.100.1', '198.51.100.1'],
    ['is the last but one behind two', 2, '10.0.0.1', '6.6.6.6,198.51.100.1,10.0.0.9', '198.51.100.1'],
    ['is the leftmost of a list shorter than the way', 3, '10.0.0.1', '198.51.100.1, 10.0.0.9', '198.51.100.1'],
    ['is the connection’s without a list', 1, '10.0.0.1', undefined, '10.0.0.1'],
    ['is the connection’s beside an empty list', 1, '10.0.0.1', '', '10.0.0.1'],
    ['is the connection’s where the entry is junk', 1, '10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
    ['passes junk over towards the nearer proxy', 2, '10.0.0.1', '6.6.6.6, _hidden, 10.0.0.9', '10.0.0.9'],
    ['passes over a trailing comma', 2, '10.0.0.1', '198.51.100.1,', '198.51.100.1'],
    ['has no port', 1, '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['has no brackets', 1, '10.0.0.1', '[2001:db8::1]', '2001:db8::1'],
    ['has neither port nor brackets nor quotes', 1, '10.0.0.1', '"[2001:db8::1]:4711"', '2001:db8::1'],
    ['has no zone', 1, '10.0.0.1', 'fe80::1%eth0', 'fe80::1'],
    ['is IPv4 where the list maps it', 1, '10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['is IPv4 where the list maps it in hex', 1, '10.0.0.1', '[::FFFF:c633:6401]:80', '198.51.100.1'],
    ['is IPv4 where the connection maps it', 0, '::ffff:198.51.100.1', undefined, '198.51.100.1'],
    ['is nobody’s for a connection that is gone', 0, undefined, undefined, '::'],
    ['is no octal, short or long number', 1, '10.0.0.1', '0177.0.0.1', '10.0.0.1'],
    ['is no address with a word behind it', 1, '10.0.0.1', '198.51.100.1 (me)', '10.0.0.1'],
  ])('%s', (_, trustedHops, remoteAddress, forwarded, address) => {
    expect(clientAddress(requestFrom(remoteAddress, forwarded), trustedHops)).toBe(address);
  });
});

describe('addressPrefix', () => {
  test.each([
    ['198.51.100.1', '198.51.100.1'],
    ['::ffff:198.51.100.1', '198.51.100.1'],
    ['2001:db8:0:1:aaaa:bbbb:cccc:dddd', '2001:db8:0:1::/64'],
    ['2001:0DB8:0000:0001::', '2001:db8:0:1::/64'],
    ['2001:db8:0:1::7', '2001:db8:0:1::/64'],
    ['2001:db8::1:0:0:1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::198.51.100.1', '64:ff9b:0:0::/64'],
    ['no address', '0:0:0:0::/64'],
  ])('of %s is %s', (address, prefix) => {
    expect(addressPrefix(address)).toBe(prefix);
  });
});
