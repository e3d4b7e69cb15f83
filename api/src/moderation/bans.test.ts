import { describe, expect, test } from 'vitest';
import { VISITOR } from '../../test/fingerprints.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SiteId } from '../domain/ids.ts';
import { type BanList, banOf, refusalFor } from './bans.ts';

const SITE = 'site_a' as SiteId;
const listOf = (bans: Readonly<Record<string, number | null>>): BanList => ({
  findBan: (site, kind, value) => {
    const until = bans[`${site} ${kind} ${value}`];
    return until === undefined ? null : { until, isAutomatic: false };
  },
});
const visitor = {
  ...VISITOR,
  addresses: [['today', 'today /56', 'today /48'], ['yesterday']] as unknown as Visitor['addresses'],
  banId: 'u-1',
};

describe('ban of a visitor', () => {
  test.each([
    ['nobody is', {}, null],
    ['somebody else is', { 'site_a address other': 9, 'site_b address today': 9 }, null],
    ['their address is, by the salt of today', { 'site_a address today': 9 }, { until: 9 }],
    ['their address is, by the salt of yesterday', { 'site_a address yesterday': 9 }, { until: 9 }],
    ['S32 a wider network they are in is', { 'site_a address today /48': 9 }, { until: 9 }],
    ['the site named them', { 'site_a ban_id u-1': null }, { until: null }],
    ['the longest counts', { 'site_a address today': 9, 'site_a address yesterday': 99 }, { until: 99 }],
    ['without an end is the longest', { 'site_a address today': 9, 'site_a ban_id u-1': null }, { until: null }],
  ])('%s', (_, bans, expected) => {
    const found = banOf(listOf(bans), SITE, visitor, 0);
    expect(found).toEqual(expected === null ? null : { ...expected, isAutomatic: false });
  });

  test('of an operator is not hidden by a longer automatic one', () => {
    const list: BanList = {
      findBan: (_site, kind) =>
        kind === 'address' ? { until: 99, isAutomatic: true } : { until: 9, isAutomatic: false },
    };
    expect(banOf(list, SITE, visitor, 0)).toEqual({ until: 99, isAutomatic: false });
  });

  test('is refused with the time left', () => {
    expect(refusalFor({ until: 61_000 }, 1_000)).toMatchObject({ code: 'banned', retryAfterMs: 60_000 });
    expect(refusalFor({ until: null }, 1_000).retryAfterMs).toBe(24 * 60 * 60_000);
  });
});
