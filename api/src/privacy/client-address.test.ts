import type { IncomingMessage } from 'node:http';
import { describe, expect, it, test } from 'vitest';
import { clientAddress, networksOf } from './client-address.ts';

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

describe('networksOf', () => {
  it.each([
    ['198.51.100.1', ['198.51.100.1']],
    ['2001:db8:aa:1234::1', ['2001:db8:aa:1234::/64', '2001:db8:aa:1200::/56', '2001:db8:aa::/48']],
    ['2001:db8:aa:12ff::1', ['2001:db8:aa:12ff::/64', '2001:db8:aa:1200::/56', '2001:db8:aa::/48']],
    ['2001:db8:aa:34::1', ['2001:db8:aa:34::/64', '2001:db8:aa:0::/56', '2001:db8:aa::/48']],
    ['2001:0DB8:00AA:0001::', ['2001:db8:aa:1::/64', '2001:db8:aa:0::/56', '2001:db8:aa::/48']],
    ['2001:db8::1:0:0:1', ['2001:db8:0:0::/64', '2001:db8:0:0::/56', '2001:db8:0::/48']],
    ['::1', ['0:0:0:0::/64', '0:0:0:0::/56', '0:0:0::/48']],
    ['no address', ['0:0:0:0::/64', '0:0:0:0::/56', '0:0:0::/48']],
  ])('of %s are %j', (address, networks) => {
    expect(networksOf(address)).toEqual(networks);
  });

  it.each([
    ['a socket for both', '::ffff:198.51.100.1'],
    ['a stateless translator', '::ffff:0:198.51.100.1'],
    ['NAT64', '64:ff9b::198.51.100.1'],
    ['NAT64, in hex', '64:ff9b::c633:6401'],
    ['6to4', '2002:c633:6401:1::7'],
    ['6to4, another of its subnets', '2002:c633:6401:ffff::7'],
    ['Teredo', '2001:0:53aa:64c:8000:63bf:39cc:9bfe'],
  ])('of an IPv4 address behind %s is that address', (_, address) => {
    expect(networksOf(address)).toEqual(['198.51.100.1']);
  });

  it.each(['64:ff9b:1::198.51.100.1', '2001:1::c633:6401', '2003:c633:6401::1', '::198.51.100.1'])(
    'of %s, which stands for no IPv4 address, are those of IPv6',
    (address) => {
      expect(networksOf(address)).toHaveLength(3);
    },
  );
});
