import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SiteKey } from '@passerby/sdk/protocol';
import { describe, expect, test, vi } from 'vitest';
import { listLog } from '../../test/harness.ts';
import { tempRecords } from '../../test/temp-records.ts';
import { type Records, SQLITE_FILE } from '../records/records.ts';
import type { AddressHash, SiteId } from '../domain/ids.ts';
import { type AccessChange, AccessDirectory } from './access-directory.ts';
import { isOriginAllowed } from '../sites/origin-rule.ts';
import { seedSites } from '../sites/seed.ts';
import { DEMO_SITE } from '../sites/site-directory.ts';
import { SiteService } from '../sites/site-service.ts';
import { sitesFile } from '../sites/sites-file.ts';

const SHOP = 'site_shop' as SiteId;
const SHOP_TEST = 'site_shop_test' as SiteId;
const DAY_MS = 24 * 3_600_000;

async function fresh() {
  let now = 1_800_000_000_000;
  const clock = () => now;
  const temp = await tempRecords(clock);
  const { records } = temp;
  const service = new SiteService({ records, clock, actor: 'cli' });
  const log = listLog();
  let failure: Error | null = null;
  let reloads = 0;
  let present: Pick<Records, 'revision' | 'changedSince'> = records;
  const directory = await AccessDirectory.open({
    records: {
      revision: () => (failure === null ? present.revision() : Promise.reject(failure)),
      changedSince: (revision) => (reloads++, present.changedSince(revision)),
    },
    dates: clock,
    clock,
    log,
    builtIn: [DEMO_SITE],
  });
  const gone: SiteKey[] = [];
  directory.onChange(({ goneKeys }) => gone.push(...goneKeys));
  return {
    ...temp,
    service,
    directory,
    gone,
    log,
    now: clock,
    pass: (ms: number) => (now += ms),
    fail: (error: Error | null) => (failure = error),
    reloads: () => reloads,
    /** Restores the database to the state of another one. */
    putBack: (earlier: Records) => (present = earlier),
    /** Adds a site that the directory knows, and returns it with its keys by mode. */
    shop: async (origins = ['https://shop.example', 'http://localhost:*', 'null']) => {
      const { keys } = await service.add({ id: SHOP, name: 'Shop', origins, settings: { interests: ['jazz'] } });
      await directory.poll();
      return { live: keys[0]!, test: keys[1]!, secret: keys[2]! };
    },
  };
}

describe('AccessDirectory', () => {
  test('a site has a live and a test mode, each found by its own keys', async () => {
    await using the = await fresh();
    const { live, test, secret } = await the.shop();
    const { directory } = the;
    expect(directory.find(live.text)).toMatchObject({ id: SHOP, mode: 'live', keys: [live.text] });
    expect(directory.find(test.text)).toMatchObject({ id: SHOP_TEST, mode: 'test', keys: [test.text] });
    expect(directory.byId(SHOP)).toBe(directory.find(live.text));
    expect(directory.byId(SHOP_TEST)).toBe(directory.find(test.text));
    expect(directory.find(live.text)!.policy).toEqual({ ...DEMO_SITE.policy, interests: ['jazz'] });
    expect(directory.find(secret.text)).toBeUndefined();
    expect(directory.find(directory.byId(SHOP)!.guard.claimKeys[0]!)).toBeUndefined();
    expect(directory.rulesOf(SHOP)).toBe(directory.byId(SHOP)!.match);
    expect(directory.rulesOf('site_none' as SiteId)).toEqual(DEMO_SITE.match);
  });

  test('pages of the local machine and without an origin are valid for test keys only', async () => {
    await using the = await fresh();
    const local = [
      'http://localhost:8080',
      'http://127.0.0.1',
      'https://[::1]',
      'http://127.0.0.2',
      'http://a.localhost',
    ];
    const { live, test } = await the.shop(['https://shop.example', 'http://localhost:*', 'null', ...local]);
    for (const origin of ['http://localhost:99', 'null', ...local]) {
      expect(isOriginAllowed(origin, the.directory.find(live.text)!.origins), origin).toBe(false);
      expect(isOriginAllowed(origin, the.directory.find(test.text)!.origins), origin).toBe(true);
    }
    for (const key of [live, test]) {
      expect(isOriginAllowed('https://shop.example', the.directory.find(key.text)!.origins)).toBe(true);
    }
  });

  test('a revoked key is unknown from the next poll on, and is reported once; others stay', async () => {
    await using the = await fresh();
    const { live, test } = await the.shop();
    await the.service.revokeKey(live.id);
    expect(the.directory.find(live.text)).toBeDefined();
    await the.directory.poll();
    expect(the.directory.find(live.text)).toBeUndefined();
    expect(the.directory.find(test.text)).toBeDefined();
    expect(the.gone).toEqual([live.text]);
    await the.directory.poll();
    expect(the.gone).toHaveLength(1);
  });

  test('a key expires after its overlap, without a change of the records', async () => {
    await using the = await fresh();
    const { live, secret } = await the.shop();
    const next = await the.service.rotateKey(SHOP, 'publishable', 'live', DAY_MS);
    const nextSecret = await the.service.rotateKey(SHOP, 'secret', 'live', 2 * DAY_MS);
    await the.directory.poll();
    const claimKeys = async () => the.directory.byId(SHOP)!.guard.claimKeys;
    expect(the.directory.find(live.text)!.keys).toEqual([live.text, next.text]);
    expect(await claimKeys()).toHaveLength(2);
    the.pass(DAY_MS - 1);
    expect(the.directory.find(live.text)).toBeDefined();
    the.pass(1);
    expect(the.directory.find(live.text)).toBeUndefined();
    expect(the.directory.find(next.text)!.keys).toEqual([next.text]);
    expect(await claimKeys()).toHaveLength(2);
    await the.directory.poll();
    expect(the.gone).toEqual([live.text]);
    the.pass(DAY_MS);
    expect(await claimKeys()).toEqual([(await the.records.keys.get(nextSecret.id))!.value]);
    expect(secret.id).not.toBe(nextSecret.id);
  });

  test('a disabled site is unknown, its keys are reported, and it is found again once enabled', async () => {
    await using the = await fresh();
    const { live, test } = await the.shop();
    await the.service.disable(SHOP);
    await the.directory.poll();
    expect([live, test].map(({ text }) => the.directory.find(text))).toEqual([undefined, undefined]);
    expect(the.directory.byId(SHOP)).toBeUndefined();
    expect(the.directory.byId(SHOP_TEST)).toBeUndefined();
    expect([...the.gone].sort()).toEqual([live.text, test.text].sort());
    await the.service.enable(SHOP);
    await the.directory.poll();
    expect(the.directory.find(live.text)).toBeDefined();
  });

  test('a key that was missing only between two polls is not reported', async () => {
    await using the = await fresh();
    const { live } = await the.shop();
    await the.service.disable(SHOP);
    await the.service.enable(SHOP);
    await the.directory.poll();
    expect(the.directory.find(live.text)).toBeDefined();
    expect(the.gone).toEqual([]);
  });

  test('reads only changes again', async () => {
    await using the = await fresh();
    await the.shop();
    const before = { site: the.directory.byId(SHOP), reloads: the.reloads() };
    await the.directory.poll();
    expect(the.reloads()).toBe(before.reloads);
    await the.service.add({ id: 'site_other', name: 'Other' });
    await the.directory.poll();
    expect(the.reloads()).toBe(before.reloads + 1);
    expect(the.directory.byId(SHOP)).toBe(before.site);
  });

  test('keeps the last known state while the records fail, with its age, and catches up', async () => {
    await using the = await fresh();
    const { live } = await the.shop();
    const seenAt = the.now();
    expect(the.directory.staleSince()).toBeNull();
    the.fail(Object.assign(new Error('postgres://user:password@host is away'), { code: '57P01' }));
    await the.service.revokeKey(live.id);
    for (let n = 0; n < 10; n++) {
      the.pass(300);
      await the.directory.poll();
    }
    expect(the.directory.find(live.text)).toBeDefined();
    expect(the.directory.staleSince()).toBe(seenAt);
    // The log itself says a reason once a minute.
    const line = { level: 'error', fields: { reason: '57P01' }, message: 'the records of sites cannot be read' };
    expect(the.log.lines).toEqual(Array.from({ length: 10 }, () => line));
    expect(JSON.stringify(the.log.lines)).not.toContain('password');
    the.fail(null);
    await the.directory.poll();
    expect(the.directory.staleSince()).toBeNull();
    expect(the.directory.find(live.text)).toBeUndefined();
  });

  test('a site with unreadable settings is disabled, and the others are not', async () => {
    await using the = await fresh();
    const { live } = await the.shop();
    const { keys } = await the.service.add({ id: 'site_other', name: 'Other' });
    await the.records.sites.setPolicy(SHOP, '{"inactivityMs":"a while"}');
    await the.directory.poll();
    expect(the.directory.find(live.text)).toBeUndefined();
    expect(the.directory.find(keys[0]!.text)).toBeDefined();
    expect(the.log.lines).toEqual([
      {
        level: 'error',
        fields: { record: SHOP, field: 'settings.inactivityMs' },
        message: 'a site is disabled: its record cannot be read',
      },
    ]);
  });

  test('the demo site exists without a record, and is replaced by a record with its key, revoked too', async () => {
    await using the = await fresh();
    const [demoKey] = DEMO_SITE.keys;
    expect(the.directory.find(demoKey!)).toBe(DEMO_SITE);
    expect(the.directory.byId(DEMO_SITE.id)).toBe(DEMO_SITE);
    const entry = { key: demoKey, name: 'Mine', origins: ['https://mine.example'] };
    await seedSites(the.records, sitesFile.parse({ sites: [entry] }).sites, the.now);
    await the.directory.poll();
    const mine = the.directory.find(demoKey!)!;
    expect(mine).toMatchObject({ name: 'Mine', mode: 'test' });
    await the.service.revokeKey((await the.records.keys.byValue(demoKey!))!.id);
    await the.directory.poll();
    expect(the.directory.find(demoKey!)).toBeUndefined();
  });

  test('a restored database is read completely', async () => {
    await using the = await fresh();
    await using earlier = await tempRecords(the.now);
    const ofEarlier = new SiteService({ records: earlier.records, clock: the.now, actor: 'cli' });
    const { keys } = await ofEarlier.add({ id: SHOP, name: 'Earlier', origins: [] });
    const { live } = await the.shop();
    const other = await the.service.add({ id: 'site_other', name: 'Other' });
    const value = 'u-1';
    const ban = { site: SHOP, kind: 'ban_id', value, reason: 'spam', actor: 'operator', createdAt: 1 } as const;
    await the.records.bans.add({ ...ban, until: null });
    await the.directory.poll();
    expect(the.directory.bans.findBan(SHOP, 'ban_id', value, the.now())).not.toBeNull();
    the.putBack(earlier.records);
    await the.directory.poll();
    expect(the.directory.find(keys[0]!.text)).toMatchObject({ name: 'Earlier' });
    for (const key of [live, other.keys[0]!]) {
      expect(the.directory.find(key.text)).toBeUndefined();
      expect(the.gone).toContain(key.text);
    }
    expect(the.directory.byId(SHOP)).toMatchObject({ name: 'Earlier' });
    expect(the.directory.byId('site_other' as SiteId)).toBeUndefined();
    expect(the.directory.bans.size).toBe(0);
    const reloads = the.reloads();
    await the.directory.poll();
    expect(the.reloads()).toBe(reloads);
  });

  test('a key that is a name of Object.prototype finds nothing', async () => {
    await using the = await fresh();
    for (const key of ['__proto__', 'constructor', 'toString']) expect(the.directory.find(key)).toBeUndefined();
  });

  test('a ban is in force in its mode of a site, or everywhere, until it ends or is lifted', async () => {
    await using the = await fresh();
    const address = 'address_bad' as AddressHash;
    const ban = {
      site: SHOP,
      kind: 'address',
      value: address,
      reason: 'spam',
      actor: 'operator',
      createdAt: the.now(),
    } as const;
    const brief = await the.records.bans.add({ ...ban, until: the.now() + 100 });
    await the.records.bans.add({ ...ban, until: the.now() + 50 });
    await the.directory.poll();
    const { bans } = the.directory;
    expect(bans.findBan(SHOP, 'address', address, the.now())).toMatchObject({ until: brief.until });
    expect(bans.findBan(SHOP_TEST, 'address', address, the.now())).toBeNull();
    expect(bans.findBan(SHOP, 'ban_id', address, the.now())).toBeNull();
    expect(bans.findBan(SHOP, 'address', address, the.now() + 100)).toBeNull();

    const everywhere = await the.records.bans.add({ ...ban, site: null, until: null });
    await the.directory.poll();
    expect(bans.findBan(SHOP, 'address', address, the.now())).toMatchObject({ until: null });
    expect(bans.findBan(SHOP_TEST, 'address', address, the.now())).toMatchObject({ until: null });
    await the.records.bans.lift(everywhere.id, the.now());
    await the.directory.poll();
    expect(bans.findBan(SHOP, 'address', address, the.now())).toMatchObject({ until: brief.until });
    expect(bans.findBan(SHOP_TEST, 'address', address, the.now())).toBeNull();
  });

  test('expired bans are deleted', async () => {
    await using the = await fresh();
    const ban = {
      site: SHOP,
      kind: 'ban_id',
      value: 'v',
      reason: 'spam',
      actor: 'operator',
      createdAt: 1,
      until: the.now() + 1,
    } as const;
    await the.records.bans.add(ban);
    await the.directory.poll();
    expect(the.directory.bans.size).toBe(1);
    the.pass(60_000);
    await the.directory.poll();
    expect(the.directory.bans.size).toBe(0);
  });
});

describe('poll', () => {
  /** Creates a directory on records that answer when the test lets them, and that gives up a look after `lookMaxMs`. */
  async function held(lookMaxMs = 3_600_000) {
    const temp = await tempRecords();
    const { records } = temp;
    let now = 0;
    let hold = false;
    const asked: ((isAnswered: boolean) => void)[] = [];
    const log = listLog();
    const directory = await AccessDirectory.open({
      records: {
        revision: async () => {
          if (hold && !(await new Promise<boolean>((resolve) => asked.push(resolve)))) throw new Error('never');
          return records.revision();
        },
        changedSince: (known) => records.changedSince(known),
      },
      dates: () => 1_800_000_000_000,
      clock: () => now,
      log,
      builtIn: [],
      pollMaxMs: lookMaxMs,
    });
    return {
      ...temp,
      directory,
      log,
      asked,
      pass: (ms: number) => (now += ms),
      hold: (is: boolean) => (hold = is),
    };
  }

  test('without an answer is abandoned, and the next one continues', async () => {
    await using the = await held(50);
    the.hold(true);
    the.pass(3_000);
    await the.directory.poll();
    expect(the.log.lines).toMatchObject([{ fields: { reason: 'LOOK_TIMEOUT' } }]);
    expect(the.directory.staleSince()).toBe(0);
    the.hold(false);
    // On a busy machine this one may be late as well.
    await vi.waitFor(
      async () => {
        await the.directory.poll();
        expect(the.directory.staleSince()).toBeNull();
      },
      { timeout: 60_000 },
    );
  });

  test('that is answered after it was abandoned has no effect', async () => {
    await using the = await held(50);
    the.hold(true);
    await the.directory.poll();
    the.hold(false);
    the.pass(3_000);
    the.asked[0]!(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(the.directory.staleSince()).toBe(0);
  });

  test('begins once the previous one is over', async () => {
    await using the = await held();
    the.hold(true);
    const both = [the.directory.poll(), the.directory.poll()];
    expect(the.asked).toHaveLength(1);
    the.asked[0]!(true);
    await Promise.all(both);
    const next = the.directory.poll();
    expect(the.asked).toHaveLength(2);
    the.asked[1]!(true);
    await next;
  });

  test('reports the age of its request, not of its answer', async () => {
    await using the = await held();
    the.hold(true);
    the.pass(100);
    const look = the.directory.poll();
    the.pass(2_500);
    the.asked[0]!(true);
    await look;
    expect(the.directory.staleSince()).toBe(100);
  });

  test('reads everything anew periodically, for changes without a revision', async () => {
    await using the = await held();
    const service = new SiteService({ records: the.records, clock: () => 1_800_000_000_000, actor: 'cli' });
    const { keys } = await service.add({ id: SHOP, name: 'Shop', origins: [] });
    const other = await service.add({ id: 'site_other', name: 'Other', origins: [] });
    const target = { site: SHOP, kind: 'ban_id', value: 'v' } as const;
    await the.records.bans.add({ ...target, reason: 'spam', actor: 'operator', createdAt: 1, until: null });
    await the.directory.poll();
    const unchanged = the.directory.byId('site_other' as SiteId);
    const changes: AccessChange[] = [];
    the.directory.onChange((change) => changes.push(change));
    // As somebody does by hand, or a backup that is read table by table.
    const database = new DatabaseSync(join(the.folder, SQLITE_FILE));
    database.exec(`update sites set is_disabled = 1 where id = '${SHOP}'; delete from bans`);
    database.close();
    await the.directory.poll();
    expect(the.directory.find(keys[0]!.text)).toBeDefined();
    the.pass(5 * 60_000);
    await the.directory.poll();
    expect(the.directory.find(keys[0]!.text)).toBeUndefined();
    expect(the.directory.bans.size).toBe(0);
    expect(changes).toMatchObject([{ areBansNew: false }]);
    // What is as it was is not made anew, and nobody is told of it.
    expect(the.directory.byId('site_other' as SiteId)).toBe(unchanged);
    expect(the.directory.find(other.keys[0]!.text)).toBe(unchanged);
    the.pass(5 * 60_000);
    await the.directory.poll();
    expect(changes).toHaveLength(1);
  });
});

describe('seedSites', () => {
  const seeds = (change: Record<string, unknown> = {}) =>
    sitesFile.parse({
      sites: [
        { key: 'pk_live_seeded', name: 'Seeded', origins: ['https://a.example', 'https://b.example'], ...change },
        { key: 'pk_test_other', name: 'Other', origins: [] },
      ],
    }).sites;

  test('adds the sites of the file, found by their keys', async () => {
    await using the = await fresh();
    await seedSites(the.records, seeds(), the.now);
    await the.directory.poll();
    expect(the.directory.find('pk_live_seeded')).toMatchObject({ id: seeds()[0]!.id, mode: 'live', name: 'Seeded' });
    expect(the.directory.find('pk_test_other')).toMatchObject({ id: `${seeds()[1]!.id}_test`, mode: 'test' });
    const { items } = await the.records.audit.list({ max: 10 });
    expect(items.map(({ actor, action }) => `${actor} ${action}`)).toEqual(
      ['site.add', 'key.add', 'site.add', 'key.add'].map((action) => `sites-file ${action}`),
    );
  });

  test('has no effect again, and from several nodes at once', async () => {
    await using the = await fresh();
    await Promise.all([1, 2, 3].map(() => seedSites(the.records, seeds(), the.now)));
    const before = { revision: await the.records.revision(), audit: await the.records.audit.list({ max: 100 }) };
    expect(before.audit.items).toHaveLength(4);
    await seedSites(the.records, seeds(), the.now);
    expect({ revision: await the.records.revision(), audit: await the.records.audit.list({ max: 100 }) }).toEqual(
      before,
    );
  });

  test('applies name, origins and settings of the file; what an operator disabled stays disabled', async () => {
    await using the = await fresh();
    await seedSites(the.records, seeds(), the.now);
    const [id, other] = seeds().map((seed) => seed.id) as [SiteId, SiteId];
    await the.service.disable(other);
    await the.service.rename(id, 'Renamed');
    await the.service.revokeKey((await the.records.keys.byValue('pk_live_seeded'))!.id);
    const again = seeds({ name: 'Newer', origins: ['https://b.example', 'https://c.example'], hasLinks: false });
    await seedSites(the.records, again, the.now);
    expect(await the.service.get(id)).toMatchObject({
      name: 'Newer',
      origins: ['https://b.example', 'https://c.example'],
      settings: { hasLinks: false },
      keys: [{ isGood: false }],
    });
    expect(await the.service.get(other)).toMatchObject({ isDisabled: true });
  });

  test('refuses a key of another site', async () => {
    await using the = await fresh();
    const { live } = await the.shop();
    const stolen = sitesFile.parse({ sites: [{ key: live.text, name: 'Stolen', origins: [] }] }).sites;
    await expect(seedSites(the.records, stolen, the.now)).rejects.toThrow('another site');
    expect(await the.service.list()).toHaveLength(1);
  });
});

describe('S31 stored origins that are refused now', () => {
  test('admit nobody and are logged; the others of the list stay valid', async () => {
    await using the = await fresh();
    const { live } = await the.shop(['https://shop.example', 'https://*.shop.example']);
    await the.records.change((stores) =>
      stores.sites.setOrigins(SHOP, ['https://*.github.io', 'https://shop.example', 'https://*.co.uk']),
    );
    await the.directory.poll();
    const { origins } = the.directory.find(live.text)!;
    expect(isOriginAllowed('https://shop.example', origins)).toBe(true);
    expect(isOriginAllowed('https://anybody.github.io', origins)).toBe(false);
    expect(the.log.lines).toEqual([expect.objectContaining({ level: 'warn', fields: { site: SHOP, count: 2 } })]);
    // They are shown, and can be removed.
    expect((await the.service.removeOrigin(SHOP, 'https://*.co.uk')).origins).toContain('https://*.github.io');
  });

  test('of the local machine under any name admit visitors with a test key only', async () => {
    await using the = await fresh();
    const names = ['http://localhost.:3000', 'http://0.0.0.0:3000', 'http://[::ffff:7f00:1]:3000', 'http://[::]:3000'];
    const { live, test: tried } = await the.shop(names);
    const allowed = (key: string) =>
      names.filter((origin) => isOriginAllowed(origin, the.directory.find(key)!.origins));
    expect(allowed(live.text)).toEqual([]);
    expect(allowed(tried.text)).toEqual(names);
  });
});
