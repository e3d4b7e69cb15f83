import { beforeEach, describe, expect, test } from 'vitest';
import type { AddressHash, SiteId } from '../state/state-store.ts';
import { CoolDowns, stepFor, type AutomaticBan } from './cool-downs.ts';

const SITE = 'site_a' as SiteId;
const SOMEBODY = 'somebody' as AddressHash;
const MINUTE_MS = 60_000;

let now = 0;
let reporters = 0;
let countedSince = 0;
let lifted: number | null = null;
let bans: AutomaticBan[] = [];
const coolDowns = new CoolDowns(
  {
    reportersOf: (_site, _address, since) => {
      countedSince = since;
      return Promise.resolve(reporters);
    },
  },
  { add: (ban) => Promise.resolve(void bans.push(ban)), lastLift: () => Promise.resolve(lifted) },
  {
    findBan: (_site, _kind, _value, at) => {
      const running = bans.filter(({ until }) => until > at).sort((a, b) => b.until - a.until);
      return running[0] === undefined ? null : { until: running[0].until, isAutomatic: true };
    },
  },
  () => now,
);
const reportedBy = (count: number) => {
  reporters = count;
  return coolDowns.reported(SITE, SOMEBODY);
};
beforeEach(() => {
  now = 100 * 60 * MINUTE_MS;
  lifted = null;
  bans = [];
});

describe('a cool-down', () => {
  test.each([
    [0, null],
    [2, null],
    [3, 10],
    [4, 10],
    [5, 60],
    [8, 24 * 60],
    [50, 24 * 60],
  ])('of %i reporters within a day is %s minutes', (count, minutes) => {
    expect(stepFor(count)?.forMs ?? null).toBe(minutes === null ? null : minutes * MINUTE_MS);
  });

  test('is not given for what one or two say', async () => {
    await reportedBy(1);
    await reportedBy(2);
    expect(bans).toEqual([]);
  });

  test('grows with every step, and is not given twice while it runs', async () => {
    await reportedBy(3);
    await reportedBy(3);
    expect(bans).toEqual([
      {
        site: SITE,
        kind: 'address',
        value: SOMEBODY,
        reason: 'reports',
        actor: 'service',
        createdAt: now,
        until: now + 10 * MINUTE_MS,
      },
    ]);
    await reportedBy(5);
    expect(bans.at(-1)).toMatchObject({ until: now + 60 * MINUTE_MS });
  });

  test('begins anew with another report once it is over', async () => {
    await reportedBy(3);
    now += 11 * MINUTE_MS;
    await reportedBy(4);
    expect(bans).toHaveLength(2);
  });

  test('counts the reports of a day, and none from before an operator lifted a ban', async () => {
    await reportedBy(1);
    expect(countedSince).toBe(now - 24 * 60 * MINUTE_MS);
    lifted = now - 5;
    await reportedBy(1);
    expect(countedSince).toBe(now - 4);
  });

  test('comes to who says the same to one after the other', async () => {
    await coolDowns.spammed(SITE, SOMEBODY);
    expect(bans).toMatchObject([{ reason: 'spam', until: now + 60 * MINUTE_MS }]);
  });
});
