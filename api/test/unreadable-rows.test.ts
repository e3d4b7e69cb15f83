import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ConversationId, SiteKey } from '@passerby/sdk/protocol';
import { describe, expect, it } from 'vitest';
import { monotonicClock, systemClock } from '../src/clock.ts';
import { openRecords, type Records, SQLITE_FILE } from '../src/records/records.ts';
import { ROW_SHAPES } from '../src/records/row-shapes.ts';
import { AccessDirectory } from '../src/admission/access-directory.ts';
import { seedSites } from '../src/sites/seed.ts';
import { SiteService } from '../src/sites/site-service.ts';
import { type SiteSeed, sitesFile } from '../src/sites/sites-file.ts';
import type { AddressHash, SiteId } from '../src/domain/ids.ts';
import { listLog } from './harness.ts';
import { ServiceProcess } from '../../.config/test/service-process.ts';
import { tempFolder } from './temp-records.ts';

const SHOP = 'site_shop' as SiteId;
const OTHER = 'site_other' as SiteId;
const TOKEN = 'operator-token-of-the-unreadable-rows';

/** Report and ban of a site. */
async function fill(records: Records, site: SiteId): Promise<void> {
  await records.reports.add({
    site,
    conversationId: 'c_1' as ConversationId,
    reason: 'spam',
    comment: 'words',
    messages: [{ from: 'peer', text: 'buy' }],
    reporter: 'address_a' as AddressHash,
    reporterNetwork: 'address_a' as AddressHash,
    reportedAddress: 'address_b' as AddressHash,
    reportedNetworks: ['address_c', 'address_d'] as AddressHash[],
    reportedBanId: 'u-1',
    counts: true,
    // A start forgets what is old.
    createdAt: Date.now(),
  });
  await records.bans.add({ site, kind: 'ban_id', value: 'u-1', reason: 'r', actor: 'cli', createdAt: 1, until: null });
}

/** Two sites with data of every kind, in a file that can be damaged by hand. */
async function twoSites() {
  const folder = tempFolder();
  const log = listLog();
  const records = await openRecords({ kind: 'sqlite', folder: folder.path }, systemClock, { log });
  const service = new SiteService({ records, clock: systemClock, actor: 'operator' });
  const keys = new Map<SiteId, string>();
  for (const id of [SHOP, OTHER]) {
    const added = await service.add({ id, name: id, origins: [`https://${id.slice(5)}.example`] });
    keys.set(id, added.keys[0]!.text);
    await fill(records, id);
  }
  log.lines.length = 0;
  return {
    folder: folder.path,
    log,
    records,
    service,
    keyOf: (site: SiteId) => keys.get(site)!,
    /** Runs statements that bypass the service, and may violate the references of the tables. */
    harm: (...statements: readonly string[]) => {
      const database = new DatabaseSync(join(folder.path, SQLITE_FILE), { enableForeignKeyConstraints: false });
      for (const statement of statements) database.exec(statement);
      database.close();
    },
    [Symbol.asyncDispose]: async () => {
      await records.close();
      folder[Symbol.dispose]();
    },
  };
}

const openDirectory = ({ records, log }: Awaited<ReturnType<typeof twoSites>>) =>
  AccessDirectory.open({ records, dates: systemClock, clock: monotonicClock, log, builtIn: [] });

const TABLES = ['sites', 'origins', 'keys', 'reports', 'bans', 'audit'] as const;
/** One row of the shop in each table. */
const ROW_OF_SHOP = `rowid = (select min(rowid) from TABLE where ID = '${SHOP}')`;

function columnsOf(table: (typeof TABLES)[number]): readonly string[] {
  const { shape } = ROW_SHAPES[table] as unknown as { readonly shape: Readonly<Record<string, unknown>> };
  return Object.keys(shape);
}

describe('unreadable row of the database', () => {
  it.each(TABLES.flatMap((table) => columnsOf(table).map((column) => [table, column] as const)))(
    'is named and left out, and all others are read: %s.%s',
    async (table, column) => {
      await using the = await twoSites();
      const where = ROW_OF_SHOP.replace('TABLE', table).replace('ID', table === 'sites' ? 'id' : 'site_id');
      the.harm(`update ${table} set ${column} = x'00ff' where ${where}`);
      const { records } = the;
      const lists = {
        sites: await records.sites.list(),
        origins: (await records.sites.list()).flatMap(({ origins }) => origins),
        keys: (await records.sites.list()).flatMap(({ keys }) => keys),
        reports: (await records.reports.list({ max: 10 })).items,
        bans: (await records.bans.list({ max: 10 })).items,
        audit: (await records.audit.list({ max: 100 })).items,
      };
      const all = { sites: 2, origins: 2, keys: 6, reports: 2, bans: 2, audit: 8 };
      // What belongs to a site that cannot be read cannot be had either.
      const lost = table === 'sites' ? { sites: 1, origins: 1, keys: 3 } : { [table]: 1 };
      const left = Object.entries(all).map(([name, count]) => [
        name,
        count - ((lost as Record<string, number>)[name] ?? 0),
      ]);
      // A reference to the site itself is not looked at where it leads to none.
      const isOrphan = ['origins', 'keys'].includes(table) && column === 'site_id';
      expect(Object.entries(lists).map(([name, items]) => [name, items.length])).toEqual(left);
      if (!isOrphan)
        expect(the.log.lines).toContainEqual({
          level: 'error',
          fields: expect.objectContaining({ field: `${table}.${column}` }) as unknown,
          message: 'a row of the database cannot be read, and is left out',
        });
      const directory = await openDirectory(the);
      expect(directory.find(the.keyOf(OTHER))).toBeDefined();
      expect(directory.find(the.keyOf(SHOP)) === undefined).toBe(['sites', 'keys'].includes(table));
    },
  );

  it.each([
    ['a number where a date cannot be', 'sites', 'created_at', 'created_at = 9e15'],
    ['text for a number', 'sites', 'is_disabled', "is_disabled = 'no'"],
    ['a flag that is neither', 'sites', 'is_disabled', 'is_disabled = 2'],
    ['a word there is not', 'bans', 'kind', "kind = 'planet'"],
    ['messages that are no JSON', 'reports', 'messages', "messages = '[{'"],
    ['messages that are other JSON', 'reports', 'messages', `messages = '[{"from":"us"}]'`],
  ])('is detected by its value too: %s', async (_, table, column, change) => {
    await using the = await twoSites();
    the.harm(`update ${table} set ${change} where ${table === 'sites' ? 'id' : 'site_id'} = '${SHOP}'`);
    await the.records.sites.list();
    await the.records.reports.list({ max: 10 });
    await the.records.bans.list({ max: 10 });
    expect(the.log.lines.map(({ fields }) => fields.field)).toEqual([`${table}.${column}`]);
  });

  it('fails a query for it alone, and changes nothing', async () => {
    await using the = await twoSites();
    the.harm(`update sites set name = x'00' where id = '${SHOP}'`);
    const expected = {
      code: 'unavailable',
      reason: 'ROW_UNREADABLE',
      message: 'The database has something in sites.name of site_shop that cannot be read.',
    };
    await expect(the.service.get(SHOP)).rejects.toMatchObject(expected);
    await expect(the.service.add({ id: SHOP, name: 'Again' })).rejects.toMatchObject(expected);
    expect((await the.service.list()).map(({ id }) => id)).toEqual([OTHER]);
  });

  it('disables a known site as soon as it is read, until it is repaired', async () => {
    await using the = await twoSites();
    const directory = await openDirectory(the);
    expect(directory.find(the.keyOf(SHOP))).toBeDefined();
    const gone: SiteKey[] = [];
    directory.onChange(({ goneKeys }) => gone.push(...goneKeys));
    the.harm(`update sites set name = x'00' where id = '${SHOP}'`);
    // Something else of it changes.
    await the.records.sites.setOrigins(SHOP, []);
    await directory.poll();
    expect(directory.find(the.keyOf(SHOP))).toBeUndefined();
    expect(directory.find(the.keyOf(OTHER))).toBeDefined();
    expect(gone).toContain(the.keyOf(SHOP));
    await the.records.sites.set(SHOP, { name: 'Shop' });
    await directory.poll();
    expect(directory.find(the.keyOf(SHOP))).toBeDefined();
  });

  it('is skipped by the sites file, whose other sites are updated', async () => {
    await using the = await twoSites();
    const [first, second] = sitesFile.parse({
      sites: [
        { key: 'pk_live_first0000000000000000', name: 'First', origins: [] },
        { key: 'pk_live_second000000000000000', name: 'Second', origins: [] },
      ],
    }).sites as [SiteSeed, SiteSeed];
    await seedSites(the.records, [first, second], systemClock);
    the.harm(`update sites set name = x'00' where id = '${first.id}'`);
    await seedSites(the.records, [first, { ...second, name: 'Renamed' }], systemClock);
    expect(await the.records.sites.get(second.id)).toMatchObject({ name: 'Renamed' });
  });

  it('in the revision fails a start, with a message', async () => {
    for (const statement of ["update revisions set stamp = x'00'", 'delete from revisions']) {
      await using the = await twoSites();
      the.harm(statement);
      await the.records.close();
      const { code, output } = await ServiceProcess.failToStart({ DATA_DIR: the.folder });
      expect(output.split('\n').at(-2)).toMatch(
        /^Passerby cannot start: DATA_DIR \([^\n]+\): [^\n]+ \(ROW_UNREADABLE\)\.$/,
      );
      expect(code).toBe(1);
    }
  });
});

describe('unreadable settings of a site', () => {
  it.each([
    ['no JSON', "'{'", 'settings'],
    ['no text', "x'00ff'", 'settings'],
    ['nothing', 'null', 'settings'],
    ['another shape', "'[]'", 'settings'],
    ['a wrong field', `'{"match":{"scanMax":"many"}}'`, 'settings.match.scanMax'],
  ])('disable only that site, and one line names site and field: %s', async (_, policy, field) => {
    await using the = await twoSites();
    if (policy === 'null') the.harm(`delete from policies where site_id = '${SHOP}'`);
    else the.harm(`update policies set policy = ${policy} where site_id = '${SHOP}'`);
    const directory = await openDirectory(the);
    expect(the.log.lines).toEqual([
      { level: 'error', fields: { record: SHOP, field }, message: 'a site is disabled: its record cannot be read' },
    ]);
    expect(directory.find(the.keyOf(SHOP))).toBeUndefined();
    expect(directory.find(the.keyOf(OTHER))).toBeDefined();
    expect(await the.service.get(SHOP)).toMatchObject({ settings: null });
  });

  it('can be replaced, whatever they were', async () => {
    await using the = await twoSites();
    the.harm(`delete from policies where site_id = '${SHOP}'`);
    expect(await the.service.setPolicy(SHOP, { hasLinks: false })).toMatchObject({ settings: { hasLinks: false } });
  });
});

describe('service over a database with unreadable rows', () => {
  it('starts, logs each in one line, serves the others and lists them to operators', async () => {
    await using the = await twoSites();
    await the.service.add({ id: 'site_third' as SiteId, name: 'Third', origins: ['https://third.example'] });
    the.harm(
      `update sites set name = x'00ff' where id = '${SHOP}'`,
      "update policies set policy = '{' where site_id = 'site_third'",
      `update reports set reason = x'00ff' where site_id = '${SHOP}'`,
    );
    await the.records.close();
    await using service = await ServiceProcess.start({ DATA_DIR: the.folder, OPERATOR_TOKEN: TOKEN });
    const ask = async (path: string) => {
      const answer = await fetch(`${service.url}/admin/v1${path}`, { headers: { Authorization: `Bearer ${TOKEN}` } });
      return {
        status: answer.status,
        body: (await answer.json()) as { readonly items: readonly { id: string; site: string }[] },
      };
    };
    const sites = await ask('/sites');
    expect([sites.status, sites.body.items.map(({ id }) => id)]).toEqual([200, [OTHER, 'site_third']]);
    const reports = await ask('/reports');
    expect([reports.status, reports.body.items.map(({ site }) => site)]).toEqual([200, [OTHER]]);
    const isServed = async (site: SiteId) => {
      const headers = { Origin: `https://${site.slice(5)}.example` };
      return (await fetch(`${service.url}/v1/site?site=${the.keyOf(site)}`, { headers })).ok;
    };
    expect([await isServed(OTHER), await isServed(SHOP)]).toEqual([true, false]);
    const named = service.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { readonly field: string; readonly record: string; readonly error?: unknown });
    expect(named.map(({ field, record }) => `${field} ${record}`)).toEqual([
      'sites.name site_shop',
      'settings site_third',
      expect.stringMatching(/^reports\.reason report_/),
    ]);
    expect(named.some(({ error }) => error !== undefined)).toBe(false);
  });
});
