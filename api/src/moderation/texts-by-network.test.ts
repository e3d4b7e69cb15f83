import { describe, expect, it } from 'vitest';
import type { AddressHash, SiteId } from '../domain/ids.ts';
import { TextsByNetwork } from './texts-by-network.ts';

const SITE = 'site_a' as SiteId;
const NETWORK = 'network' as AddressHash;

describe('TextsByNetwork', () => {
  it('forgets a text without recent repeats, and keeps one with some', () => {
    const texts = new TextsByNetwork(100);
    expect([0, 99, 198, 298].map((now) => texts.heard(SITE, NETWORK, 'text', now))).toEqual([1, 2, 3, 1]);
  });

  it('distinguishes sites, networks and texts', () => {
    const texts = new TextsByNetwork(100);
    texts.heard(SITE, NETWORK, 'text', 0);
    expect([
      texts.heard('site_b' as SiteId, NETWORK, 'text', 0),
      texts.heard(SITE, 'other' as AddressHash, 'text', 0),
      texts.heard(SITE, NETWORK, 'other', 0),
    ]).toEqual([1, 1, 1]);
  });

  it('is bounded in number and time', () => {
    const texts = new TextsByNetwork(100, 10);
    for (let count = 0; count < 50; count++) texts.heard(SITE, NETWORK, `text ${count}`, 0);
    expect(texts.size).toBe(10);
    texts.heard(SITE, NETWORK, 'text', 100);
    expect(texts.size).toBe(1);
  });
});
