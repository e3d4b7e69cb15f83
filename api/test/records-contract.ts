import { join } from 'node:path';
import type { ConversationId } from '@passerby/sdk/protocol';
import { Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { describe, expect, test, vi } from 'vitest';
import { RECORDS_BOUNDS } from '../src/records/bounds.ts';
import type { Database } from '../src/records/database.ts';
import { migrate } from '../src/records/migrate.ts';
import { MIGRATIONS } from '../src/records/migrations.ts';
import { postgresDialect } from '../src/records/postgres.ts';
import type { RecordsPlace } from '../src/records/records-place.ts';
import { openRecords, type Records, SQLITE_FILE } from '../src/records/records.ts';
import { type NewReport, REPORT_MS, REPORT_WORDS_MS } from '../src/records/reports.ts';
import { STAMPS_MAX } from '../src/records/revisions.ts';
import { SqliteFile } from '../src/records/sqlite-file.ts';
import { sqliteDialect } from '../src/records/sqlite.ts';
import type { Tables } from '../src/records/tables.ts';
import type { AddressHash, SiteId } from '../src/domain/ids.ts';
import { PATIENT } from './temp-records.ts';

const SHOP = 'site_shop' as SiteId;
const NOW = 1_800_000_000_000;
const DAY_MS = 24 * 3_600_000;

const shop = {
  id: SHOP,
  name: 'Shop “Ünïcode”',
  createdAt: NOW,
  origins: ['https://shop.example', 'https://*.shop.example'],
  policy: '{"interests":["jazz"]}',
};
const liveKey = {
  id: 'key_1',
  site: SHOP,
  kind: 'publishable',
  mode: 'live',
  value: 'pk_live_shop',
  hint: 'pk_live_shop',
  createdAt: NOW,
} as const;

function reportBy(reporter: string, change: Partial<NewReport> = {}): NewReport {
  return {
    site: SHOP,
    conversationId: 'c_1' as ConversationId,
    reason: 'spam',
    comment: 'sold me things',
    messages: [{ from: 'peer', text: 'buy 🥔' }],
    reporter: reporter as AddressHash,
    reportedAddress: 'address_bad' as AddressHash,
    reportedBanId: null,
    reporterNetwork: reporter as AddressHash,
    reportedNetworks: [],
    counts: true,
    createdAt: NOW,
    ...change,
  };
}

const ban = {
  site: SHOP,
  kind: 'address',
  value: 'address_bad',
  reason: 'spam',
  actor: 'operator' as const,
  createdAt: NOW,
  until: null,
} as const;

/** Database itself, without the repositories. */
function connectTo(place: RecordsPlace): Database & AsyncDisposable {
  const parts = { bounds: RECORDS_BOUNDS };
  const dialect =
    place.kind === 'sqlite'
      ? sqliteDialect(new SqliteFile(join(place.folder, SQLITE_FILE)), parts)
      : postgresDialect(place.url, parts);
  return new Kysely<Tables>({ dialect });
}

/** Contract of the records, on any database. `placeOf` creates an empty one, and its disposal. */
export function describeRecords(
  name: string,
  placeOf: () => Promise<{ readonly place: RecordsPlace } & AsyncDisposable>,
): void {
  async function fresh() {
    const made = await placeOf();
    const records = await openRecords(made.place, () => NOW, PATIENT);
    return {
      records,
      place: made.place,
      [Symbol.asyncDispose]: async () => {
        await records.close();
        await made[Symbol.asyncDispose]();
      },
    };
  }

  describe(`records in ${name}`, () => {
    test('a site is read as it was written, with its origins in order and its keys', async () => {
      await using the = await fresh();
      await the.records.sites.add(shop);
      await the.records.keys.add(liveKey);
      const key = { ...liveKey, expiresAt: null, revokedAt: null };
      expect(await the.records.sites.get(SHOP)).toEqual({ ...shop, isDisabled: false, keys: [key] });
      expect(await the.records.sites.list()).toEqual([await the.records.sites.get(SHOP)]);
      expect(await the.records.keys.get('key_1')).toEqual(key);
      expect(await the.records.keys.byValue('pk_live_shop')).toEqual(key);
    });

    test('a missing record is undefined, and cannot be changed', async () => {
      await using the = await fresh();
      expect(await the.records.sites.get(SHOP)).toBeUndefined();
      expect(await the.records.keys.get('key_1')).toBeUndefined();
      expect(await the.records.keys.byValue('pk_live_shop')).toBeUndefined();
      expect(await the.records.sites.set(SHOP, { name: 'New' })).toBe(false);
      expect(await the.records.sites.setOrigins(SHOP, ['https://new.example'])).toBe(false);
      expect(await the.records.sites.setPolicy(SHOP, '{}')).toBe(false);
      await expect(the.records.keys.add(liveKey)).rejects.toThrow();
    });

    test('a site is renamed, disabled and enabled, and its origins and policy are replaced', async () => {
      await using the = await fresh();
      await the.records.sites.add(shop);
      expect(await the.records.sites.set(SHOP, { name: 'New', isDisabled: true })).toBe(true);
      expect(await the.records.sites.setOrigins(SHOP, ['https://b.example', 'https://a.example'])).toBe(true);
      expect(await the.records.sites.setPolicy(SHOP, '{}')).toBe(true);
      expect(await the.records.sites.get(SHOP)).toMatchObject({
        name: 'New',
        isDisabled: true,
        origins: ['https://b.example', 'https://a.example'],
        policy: '{}',
      });
      await the.records.sites.set(SHOP, { isDisabled: false });
      expect(await the.records.sites.get(SHOP)).toMatchObject({ name: 'New', isDisabled: false });
    });

    test('neither a site nor a key can be added twice', async () => {
      await using the = await fresh();
      await the.records.sites.add(shop);
      await the.records.keys.add(liveKey);
      await expect(the.records.sites.add(shop)).rejects.toThrow();
      await expect(the.records.keys.add({ ...liveKey, id: 'key_2' })).rejects.toThrow();
    });

    test("a key's expiry cannot be extended, and a revocation is final", async () => {
      await using the = await fresh();
      await the.records.sites.add(shop);
      await the.records.keys.add(liveKey);
      await the.records.keys.expire(liveKey, NOW + 100);
      await the.records.keys.expire(liveKey, NOW + 500);
      expect(await the.records.keys.get('key_1')).toMatchObject({ expiresAt: NOW + 100, revokedAt: null });
      await the.records.keys.revoke(liveKey, NOW + 10);
      await the.records.keys.revoke(liveKey, NOW + 20);
      expect(await the.records.keys.get('key_1')).toMatchObject({ revokedAt: NOW + 10 });
    });

    test('every change that nodes must know raises the revision, and nothing else does', async () => {
      await using the = await fresh();
      const { records } = the;
      const { id } = await records.change(async (stores) => {
        await stores.sites.add(shop);
        await stores.keys.add(liveKey);
        return stores.bans.add(ban);
      });
      const changes: readonly [string, () => Promise<unknown>][] = [
        ['rename', () => records.sites.set(SHOP, { name: 'New' })],
        ['disable', () => records.sites.set(SHOP, { isDisabled: true })],
        ['policy', () => records.sites.setPolicy(SHOP, '{}')],
        ['origins', () => records.sites.setOrigins(SHOP, [])],
        ['another key', () => records.keys.add({ ...liveKey, id: 'key_2', value: 'pk_live_two' })],
        ['expiry', () => records.keys.expire(liveKey, NOW)],
        ['revocation', () => records.keys.revoke(liveKey, NOW)],
        ['ban', () => records.bans.add(ban)],
        ['lifted ban', () => records.bans.lift(id, NOW)],
      ];
      for (const [what, change] of changes) {
        const before = await records.revision();
        await change();
        const after = await records.revision();
        expect(after.number, what).toBeGreaterThan(before.number);
        expect(after.stamp, what).not.toBe(before.stamp);
      }
      const before = await records.revision();
      const { report } = await records.reports.add(reportBy('a'));
      await records.reports.resolve(report.id, 'seen', NOW);
      await records.audit.add({ at: NOW, actor: 'cli', action: 'site.add', site: SHOP, subject: null });
      expect(await records.revision()).toEqual(before);
    });

    test('changes after a revision are returned completely, and nothing else', async () => {
      await using the = await fresh();
      const { records } = the;
      await records.sites.add(shop);
      await records.sites.add({ ...shop, id: 'site_other' as SiteId });
      const first = await records.bans.add(ban);
      const all = await records.changedSince(null);
      expect(all.isWhole).toBe(true);
      expect(all.sites.map(({ id }) => id).sort()).toEqual(['site_other', SHOP]);
      expect(all.bans).toEqual([first]);

      expect(await records.changedSince(all.revision)).toEqual({
        revision: all.revision,
        isWhole: false,
        sites: [],
        unreadable: [],
        bans: [],
      });
      await records.keys.add(liveKey);
      const keyed = await records.changedSince(all.revision);
      expect(keyed).toEqual({
        revision: await records.revision(),
        isWhole: false,
        sites: [await records.sites.get(SHOP)],
        unreadable: [],
        bans: [],
      });
      await records.bans.lift(first.id, NOW + 5);
      expect(await records.changedSince(keyed.revision)).toMatchObject({
        sites: [],
        bans: [{ id: first.id, liftedAt: NOW + 5 }],
      });
    });

    test('a change is atomic', async () => {
      await using the = await fresh();
      const before = await the.records.revision();
      const failing = the.records.change(async (stores) => {
        await stores.sites.add(shop);
        await stores.audit.add({ at: NOW, actor: 'cli', action: 'site.add', site: SHOP, subject: null });
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await the.records.sites.list()).toEqual([]);
      expect((await the.records.audit.list({ max: 10 })).items).toEqual([]);
      expect(await the.records.revision()).toEqual(before);
    });

    test('simultaneous changes of several connections are serialised without a loss', async () => {
      await using the = await fresh();
      await the.records.sites.add({ ...shop, origins: [] });
      const others = await Promise.all([1, 2].map(() => openRecords(the.place, undefined, PATIENT)));
      const all: Records[] = [the.records, ...others];
      const before = await the.records.revision();
      await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          all[n % all.length]!.change(async ({ sites }) => {
            const { origins } = (await sites.get(SHOP))!;
            await sites.setOrigins(SHOP, [...origins, `https://n${n}.example`]);
          }),
        ),
      );
      expect((await the.records.sites.get(SHOP))!.origins).toHaveLength(12);
      expect((await the.records.revision()).number).toBe(before.number + 12);
      for (const other of others) await other.close();
    });

    test('several processes may migrate the tables at once', async () => {
      await using made = await placeOf();
      const all = await Promise.all([1, 2, 3].map(() => openRecords(made.place, undefined, PATIENT)));
      await all[0]!.sites.add(shop);
      expect(await all[2]!.sites.get(SHOP)).toMatchObject({ id: SHOP });
      await Promise.all(all.map((records) => records.close()));
    });

    describe('version beside a later one', () => {
      /** Additions of a later version. */
      const later = {
        '2099-01-01-later': {
          up: (db: Kysely<never>) => db.schema.createTable('later').addColumn('id', 'integer').execute(),
          down: (db: Kysely<never>) => db.schema.dropTable('later').execute(),
        },
      } as const;
      const [first] = Object.entries(MIGRATIONS)[0]!;

      async function executed(db: Database): Promise<readonly string[]> {
        const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
        return rows.map(({ name }) => name);
      }

      /** Runs these migrations, as a version does that knows no others. */
      async function bringUpTo(place: RecordsPlace, migrations: Readonly<Record<string, Migration>>) {
        await using db = connectTo(place);
        await migrate(db, { kind: place.kind, bounds: RECORDS_BOUNDS, migrations });
      }

      test('starts on its tables, works, and reverts nothing', async () => {
        await using made = await placeOf();
        await bringUpTo(made.place, { ...MIGRATIONS, ...later });
        for (let start = 1; start <= 2; start++) {
          await using records = await openRecords(made.place, undefined, PATIENT);
          if (start === 1) await records.sites.add(shop);
          expect(await records.sites.get(SHOP)).toMatchObject({ id: SHOP });
        }
        await using db = connectTo(made.place);
        expect(await executed(db)).toEqual([...Object.keys(MIGRATIONS), ...Object.keys(later)]);
        await sql`insert into later (id) values (1)`.execute(db);
      });

      test('adds its own migrations, whatever the order of their names', async () => {
        await using made = await placeOf();
        const { [first]: oldest } = MIGRATIONS;
        await bringUpTo(made.place, { [first]: oldest!, ...later });
        await using records = await openRecords(made.place, undefined, PATIENT);
        await records.sites.add(shop);
        await using db = connectTo(made.place);
        expect(await executed(db)).toEqual([...Object.keys(MIGRATIONS), ...Object.keys(later)]);
      });

      test('works beside an earlier one: a change without a stamp is followed', async () => {
        await using made = await placeOf();
        await using records = await openRecords(made.place, undefined, PATIENT);
        await records.sites.add(shop);
        const known = (await records.changedSince(null)).revision;
        await using db = connectTo(made.place);
        // As the version before stamps counts a change.
        await sql`update revisions set value = value + 1`.execute(db);
        await sql`update sites set name = 'Old', revision = (select value from revisions)`.execute(db);
        const old = await records.changedSince(known);
        expect(old).toMatchObject({ isWhole: false, sites: [{ name: 'Old' }] });
        await records.sites.set(SHOP, { name: 'New' });
        expect(await records.changedSince(old.revision)).toMatchObject({ isWhole: true, sites: [{ name: 'New' }] });
      });
    });

    test('the number of stamps is bounded, and a node that missed more reads everything', async () => {
      await using the = await fresh();
      const { records } = the;
      await records.sites.add(shop);
      const known = (await records.changedSince(null)).revision;
      const raise = (times: number) =>
        records.change(async (stores) => {
          for (let n = 0; n < times; n++) await stores.sites.set(SHOP, { name: `Shop ${n}` });
        });
      await raise(STAMPS_MAX - 1);
      expect((await records.changedSince(known)).isWhole).toBe(false);
      await raise(2);
      expect((await records.changedSince(known)).isWhole).toBe(true);
      await using db = connectTo(the.place);
      const { rows } = await sql<{ count: number }>`select count(*) as count from stamps`.execute(db);
      expect(Number(rows[0]!.count)).toBe(STAMPS_MAX);
    });

    test('equal revisions of two histories are distinguished by their stamps', async () => {
      await using the = await fresh();
      await using other = await fresh();
      for (const { records } of [the, other]) await records.sites.add(shop);
      const known = await other.records.revision();
      expect(known.number).toBe((await the.records.revision()).number);
      const told = { isWhole: true, sites: [{ id: SHOP }] };
      expect(await the.records.changedSince(known)).toMatchObject(told);
      await the.records.sites.set(SHOP, { name: 'New' });
      expect(await the.records.changedSince(known)).toMatchObject(told);
      const ahead = { ...known, number: known.number + 10 };
      expect(await the.records.changedSince(ahead)).toMatchObject(told);
    });

    test('no statement waits behind a transaction without end', async () => {
      await using made = await placeOf();
      await using records = await openRecords(made.place, () => NOW, {
        bounds: { connectionsMax: 1, connectMs: 2_000 },
      });
      let finish: (() => void) | undefined;
      const long = records.change(async ({ sites }) => {
        await sites.add(shop);
        await new Promise<void>((resolve) => (finish = resolve));
      });
      await vi.waitFor(() => expect(finish).toBeDefined(), { timeout: 60_000 });
      await expect(records.bans.add(ban)).rejects.toMatchObject({ code: 'unavailable', reason: 'NO_FREE_CONNECTION' });
      // Those who follow do not stand in that line.
      expect((await records.changedSince(null)).sites).toEqual([]);
      finish!();
      await long;
      expect(await records.bans.add(ban)).toMatchObject(ban);
    });

    test('a report is read as it was written; the same conversation and reporter is the same report', async () => {
      await using the = await fresh();
      const { reports } = the.records;
      const { report, isNew } = await reports.add(reportBy('a'));
      expect(isNew).toBe(true);
      expect(report).toEqual({
        ...reportBy('a'),
        id: report.id,
        status: 'open',
        resolution: null,
        resolvedAt: null,
      });
      const again = await reports.add(reportBy('a', { reason: 'hate', comment: null, messages: null }));
      expect(again).toEqual({ report, isNew: false });
      expect((await reports.add(reportBy('b'))).isNew).toBe(true);
      expect((await reports.add(reportBy('a', { conversationId: 'c_2' as ConversationId }))).isNew).toBe(true);
      expect((await reports.add(reportBy('a', { site: 'site_other' as SiteId }))).isNew).toBe(true);
    });

    test('each reporter is counted once, on one site, about one address, since a time', async () => {
      await using the = await fresh();
      const { reports } = the.records;
      const about = 'address_bad' as AddressHash;
      await reports.add(reportBy('a'));
      await reports.add(reportBy('a', { conversationId: 'c_2' as ConversationId }));
      await reports.add(reportBy('b', { createdAt: NOW + 10 }));
      await reports.add(reportBy('c', { site: 'site_other' as SiteId }));
      await reports.add(reportBy('d', { reportedAddress: 'address_other' as AddressHash }));
      expect(await reports.reportersOf(SHOP, about, NOW)).toBe(2);
      expect(await reports.reportersOf(SHOP, about, NOW + 1)).toBe(1);
      expect(await reports.reportersOf(SHOP, about, NOW + 11)).toBe(0);
    });

    test('S33 reporters of one network count as one, and reports that do not count as none', async () => {
      await using the = await fresh();
      const { reports } = the.records;
      const about = 'address_bad' as AddressHash;
      const from = (reporterNetwork: string | null) => ({ reporterNetwork: reporterNetwork as AddressHash | null });
      for (const reporter of ['a', 'b', 'c']) await reports.add(reportBy(reporter, from('network')));
      expect(await reports.reportersOf(SHOP, about, NOW)).toBe(1);
      await reports.add(reportBy('d', { ...from('other'), counts: false }));
      await reports.add(reportBy('e', from(null)));
      expect(await reports.reportersOf(SHOP, about, NOW)).toBe(1);
      await reports.add(reportBy('f', from('other')));
      expect(await reports.reportersOf(SHOP, about, NOW)).toBe(2);
    });

    test('S33 reports are also found by the wider networks of their subject', async () => {
      await using the = await fresh();
      const { reports } = the.records;
      const networks = (...names: string[]) => names as AddressHash[];
      const about = (reportedAddress: string, ...wider: string[]) => ({
        reportedAddress: reportedAddress as AddressHash,
        reportedNetworks: networks(...wider),
      });
      await reports.add(reportBy('a', about('/64 a', '/56', '/48')));
      await reports.add(reportBy('b', about('/64 b', '/56', '/48')));
      await reports.add(reportBy('c', about('/64 c', '/56 other', '/48')));
      await reports.add(reportBy('d', about('v4')));
      const counts = networks('/64 a', '/56', '/48', 'v4').map((network) => reports.reportersOf(SHOP, network, NOW));
      expect(await Promise.all(counts)).toEqual([1, 2, 3, 1]);
      const { items } = await reports.list({ max: 10 });
      expect(items.map(({ reportedNetworks }) => reportedNetworks)).toEqual([
        ['/56', '/48'],
        ['/56', '/48'],
        ['/56 other', '/48'],
        [],
      ]);
    });

    test('reports are listed oldest first, page by page, by site and status', async () => {
      await using the = await fresh();
      const { reports } = the.records;
      for (const reporter of ['a', 'b', 'c', 'd']) await reports.add(reportBy(reporter));
      await reports.add(reportBy('e', { site: 'site_other' as SiteId }));
      const first = await reports.list({ site: SHOP, max: 3 });
      expect(first.items.map(({ reporter }) => reporter)).toEqual(['a', 'b', 'c']);
      const second = await reports.list({ site: SHOP, max: 3, after: first.next! });
      expect(second).toMatchObject({ items: [{ reporter: 'd' }], next: null });
      await reports.resolve(first.items[1]!.id, 'seen', NOW);
      const open = await reports.list({ site: SHOP, status: 'open', max: 3 });
      expect(open.items.map(({ reporter }) => reporter)).toEqual(['a', 'c', 'd']);
      expect(open.next).toBeNull();
      expect((await reports.list({ status: 'resolved', max: 3 })).items).toHaveLength(1);
    });

    test('a resolved report keeps no message and no comment, and is resolved once', async () => {
      await using the = await fresh();
      const { reports } = the.records;
      const { report } = await reports.add(reportBy('a'));
      expect(await reports.resolve(report.id, 'banned', NOW + 5)).toBe(true);
      expect(await reports.get(report.id)).toEqual({
        ...report,
        comment: null,
        messages: null,
        status: 'resolved',
        resolution: 'banned',
        resolvedAt: NOW + 5,
      });
      expect(await reports.resolve(report.id, 'something else', NOW + 6)).toBe(false);
      expect(await reports.get(report.id)).toMatchObject({ resolution: 'banned' });
      expect(await reports.resolve('report_none', 'x', NOW)).toBe(false);
    });

    test('messages of old reports are deleted, and later the reports', async () => {
      await using the = await fresh();
      const { reports } = the.records;
      const young = await reports.add(reportBy('a', { createdAt: NOW - REPORT_WORDS_MS }));
      const old = await reports.add(reportBy('b', { createdAt: NOW - REPORT_WORDS_MS - 1 }));
      const oldest = await reports.add(reportBy('c', { createdAt: NOW - REPORT_MS - 1 }));
      await reports.forget(NOW);
      expect(await reports.get(young.report.id)).toEqual(young.report);
      expect(await reports.get(old.report.id)).toEqual({ ...old.report, comment: null, messages: null });
      expect(await reports.get(oldest.report.id)).toBeUndefined();
    });

    test('a ban is in force until it ends or is lifted', async () => {
      await using the = await fresh();
      const { bans } = the.records;
      const forever = await bans.add(ban);
      const brief = await bans.add({ ...ban, site: null, kind: 'ban_id', until: NOW + DAY_MS });
      expect(forever).toEqual({ ...ban, id: forever.id, liftedAt: null });
      expect(await bans.active(NOW, { max: 10 })).toEqual({ items: [forever, brief], next: null });
      expect(await bans.active(NOW + DAY_MS, { max: 10 })).toEqual({ items: [forever], next: null });
      const first = await bans.active(NOW, { max: 1 });
      expect(first).toEqual({ items: [forever], next: forever.id });
      expect(await bans.active(NOW, { max: 1, after: forever.id })).toEqual({ items: [brief], next: null });
      expect(await bans.lift(forever.id, NOW + 1)).toBe(true);
      expect(await bans.lift(forever.id, NOW + 2)).toBe(false);
      expect(await bans.lift('ban_none', NOW)).toBe(false);
      expect(await bans.active(NOW, { max: 10 })).toEqual({ items: [brief], next: null });
      expect(await bans.get(forever.id)).toEqual({ ...forever, liftedAt: NOW + 1 });
      expect((await bans.list({ site: SHOP, max: 10 })).items.map(({ id }) => id)).toEqual([forever.id]);
      const page = await bans.list({ max: 1 });
      expect(await bans.list({ max: 1, after: page.next! })).toEqual({ items: [brief], next: null });
    });

    test('a node without a state reads the bans in force, and no others', async () => {
      await using the = await fresh();
      const { bans } = the.records;
      const held = await bans.add(ban);
      const { revision } = await the.records.changedSince(null);
      const over = await bans.add({ ...ban, until: NOW });
      const lifted = await bans.add(ban);
      await bans.lift(lifted.id, NOW);
      expect((await the.records.changedSince(null)).bans).toEqual([held]);
      expect((await the.records.changedSince(revision)).bans.map(({ id }) => id)).toEqual([over.id, lifted.id]);
    });

    test('a ban with an end beyond the range is in force until it is lifted, and hides no other one', async () => {
      await using the = await fresh();
      const { bans } = the.records;
      const far = await bans.add({ ...ban, until: 2 ** 53 + 2 });
      const other = await bans.add(ban);
      const read = { ...far, until: null };
      expect(await the.records.changedSince(null)).toMatchObject({ bans: [read, other] });
      expect(await bans.active(NOW, { max: 10 })).toEqual({ items: [read, other], next: null });
      expect(await bans.get(far.id)).toEqual(read);
      expect(await bans.lift(far.id, NOW)).toBe(true);
      expect(await bans.active(NOW, { max: 10 })).toEqual({ items: [other], next: null });
    });

    test('the audit trail is read in the order it was written, page by page', async () => {
      await using the = await fresh();
      const { audit } = the.records;
      const actions = ['site.add', 'key.add', 'key.revoke', 'site.disable'] as const;
      for (const action of actions) await audit.add({ at: NOW, actor: 'cli', action, site: SHOP, subject: 'key_1' });
      const first = await audit.list({ max: 3 });
      const second = await audit.list({ max: 3, after: first.next! });
      expect([...first.items, ...second.items].map(({ action }) => action)).toEqual(actions);
      expect(first.items[0]).toEqual({
        id: first.items[0]!.id,
        at: NOW,
        actor: 'cli',
        action: 'site.add',
        site: SHOP,
        subject: 'key_1',
      });
      expect(second.next).toBeNull();
    });
  });
}
