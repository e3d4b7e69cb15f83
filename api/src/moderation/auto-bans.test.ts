import { beforeEach, describe, expect, it, test } from 'vitest';
import type { AddressHash, AddressHashes, SiteId } from '../domain/ids.ts';
import { type AutoBan, AutoBans, stepFor } from './auto-bans.ts';

const SITE = 'site_a' as SiteId;
const SOMEBODY = 'somebody' as AddressHash;
const MINUTE_MS = 60_000;

let now = 0;
let reporters = 0;
let countedSince = 0;
let lifted: number | null = null;
let bans: AutoBan[] = [];
const autoBans = new AutoBans(
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
  return autoBans.reported(SITE, [SOMEBODY]);
};
beforeEach(() => {
  now = 100 * 60 * MINUTE_MS;
  lifted = null;
  bans = [];
});

describe('S33 automatic ban of a wider network', () => {
  /** Returns the automatic bans after reports of each network by so many others. */
  async function afterReports(counts: Readonly<Record<string, number>>, lifts: Readonly<Record<string, number>> = {}) {
    const given: AutoBan[] = [];
    const since: Record<string, number> = {};
    const wide = new AutoBans(
      {
        reportersOf: (_site, network, from) => {
          since[network] = from;
          return Promise.resolve(counts[network] ?? 0);
        },
      },
      {
        add: (ban) => Promise.resolve(void given.push(ban)),
        lastLift: (_site, _kind, value) => Promise.resolve(lifts[value] ?? null),
      },
      { findBan: () => null },
      () => now,
    );
    await wide.reported(SITE, ['/64', '/56', '/48'] as unknown as AddressHashes);
    return { bans: given.map(({ value, until }) => [value, (until - now) / MINUTE_MS]), since };
  }

  it.each([
    [{ '/64': 3, '/56': 3, '/48': 3 }, [['/64', 10]]],
    [{ '/64': 1, '/56': 11, '/48': 11 }, []],
    [{ '/64': 1, '/56': 12, '/48': 12 }, [['/56', 10]]],
    [{ '/64': 2, '/56': 20, '/48': 47 }, [['/56', 60]]],
    [
      { '/64': 8, '/56': 32, '/48': 48 },
      [
        ['/64', 24 * 60],
        ['/56', 24 * 60],
        ['/48', 10],
      ],
    ],
  ])('needs 4 and 16 times as many reporters: %j', async (counts, expected) => {
    expect((await afterReports(counts)).bans).toEqual(expected);
  });

  it('counts from the lifting of the ban of that network', async () => {
    const { since } = await afterReports({}, { '/56': now - 5 });
    expect(since).toEqual({ '/64': now - 24 * 60 * MINUTE_MS, '/56': now - 4, '/48': now - 24 * 60 * MINUTE_MS });
  });
});

describe('automatic ban', () => {
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

  test('is not made after one or two reporters', async () => {
    await reportedBy(1);
    await reportedBy(2);
    expect(bans).toEqual([]);
  });

  test('grows with every step, and is not repeated while it runs', async () => {
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

  test('is made anew by another report once it is over', async () => {
    await reportedBy(3);
    now += 11 * MINUTE_MS;
    await reportedBy(4);
    expect(bans).toHaveLength(2);
  });

  test('counts the reports of a day, except those before an operator lifted a ban', async () => {
    await reportedBy(1);
    expect(countedSince).toBe(now - 24 * 60 * MINUTE_MS);
    lifted = now - 5;
    await reportedBy(1);
    expect(countedSince).toBe(now - 4);
  });

  test('is made for repeated texts', async () => {
    await autoBans.spammed(SITE, SOMEBODY);
    expect(bans).toMatchObject([{ reason: 'spam', until: now + 60 * MINUTE_MS }]);
  });
});
