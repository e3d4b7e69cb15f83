import type { ConversationId } from '@passerby/sdk/protocol';
import { Kysely, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RECORDS_BOUNDS } from '../src/records/bounds.ts';
import type { DatabaseFailure } from '../src/records/database-failure.ts';
import { migrate } from '../src/records/migrate.ts';
import { MIGRATIONS } from '../src/records/migrations.ts';
import { postgresDialect } from '../src/records/postgres.ts';
import { NEEDED_RIGHTS } from '../src/records/postgres-rights.ts';
import { openRecords } from '../src/records/records.ts';
import type { Tables } from '../src/records/tables.ts';
import type { AddressHash, SiteId } from '../src/domain/ids.ts';
import { TcpProxy } from './faults/tcp-proxy.ts';
import { listLog } from './harness.ts';
import { PostgresServer } from './servers/postgres-server.ts';

const SHOP = 'site_shop' as SiteId;

let server: PostgresServer | undefined;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server?.stop());

/** Takes the lock as versions do that leave it to Kysely. */
async function holdLock(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('select pg_advisory_lock(3853314791062309107)');
  return client;
}

const WAITING = {
  level: 'warn',
  fields: { reason: 'MIGRATION_LOCK' },
  message: 'waiting for another process to bring the tables up to date',
};
/** Maximum number of attempts at the lock within a second. */
const bounds = { migrationPauseMs: 20, migrationWaitMs: 1_000 };

describe('migration of the tables of PostgreSQL', () => {
  it('waits for another process with a line in the log, and fails with one if that does not finish', async () => {
    const url = await server!.database();
    const holder = await holdLock(url);
    const log = listLog();
    await expect(openRecords({ kind: 'postgres', url }, undefined, { bounds, log })).rejects.toThrow(
      /^DATABASE_URL: another process .+ \(MIGRATION_WAIT\)$/,
    );
    expect(log.lines.length).toBeGreaterThan(1);
    for (const line of log.lines) expect(line).toEqual(WAITING);
    await holder.end();
  });

  it('continues once another process has finished or died, whatever the deadline of statements', async () => {
    for (const over of [
      (holder: pg.Client) => holder.end(),
      (holder: pg.Client) => Promise.resolve(holder.connection.stream.destroy()),
    ]) {
      const url = await server!.database();
      const holder = await holdLock(url);
      const log = listLog();
      const opening = openRecords({ kind: 'postgres', url }, undefined, {
        log,
        bounds: { ...bounds, migrationWaitMs: 60_000, statementMs: 1_500 },
      });
      await vi.waitFor(() => expect(log.lines.length).toBeGreaterThan(5), { timeout: 60_000 });
      await over(holder);
      await using records = await opening;
      expect(await records.sites.list()).toEqual([]);
    }
  });

  it('is exempt from the short deadline of statements', async () => {
    const url = await server!.database();
    const short = { ...RECORDS_BOUNDS, statementMs: 100, lockMs: 100 };
    await using db = new Kysely<Tables>({ dialect: postgresDialect(url, { bounds: short }) });
    const slow = {
      'a-slow-one': { up: (on: Kysely<never>) => sql`select pg_sleep(0.5)`.execute(on).then(() => undefined) },
    };
    await migrate(db, { kind: 'postgres', bounds: short, migrations: { ...slow, ...MIGRATIONS } });
    await expect(sql`select pg_sleep(0.5)`.execute(db)).rejects.toMatchObject({ reason: '57014' });
  });

  it('is not blocked for ever by a process that disappears in the middle of it', async () => {
    await using proxy = await TcpProxy.start(server!.port);
    const name = new URL(await server!.database()).pathname.slice(1);
    const vanishing = { ...RECORDS_BOUNDS, queryMs: 300, idleInTransactionMs: 1_000 };
    const through = server!.url(name, undefined, undefined, proxy.port);
    await using db = new Kysely<Tables>({ dialect: postgresDialect(through, { bounds: vanishing }) });
    const silent = {
      'a-silent-one': {
        up: async (on: Kysely<never>) => {
          proxy.goSilent();
          await sql`select 1`.execute(on);
        },
      },
    };
    const parts = { kind: 'postgres', bounds: vanishing, migrations: silent } as const;
    await expect(migrate(db, parts)).rejects.toMatchObject({ reason: 'QUERY_TIMEOUT' });
    // The server knows nothing of that: the transaction is open, and with it the lock.
    const [lock] = await server!.ask(
      "select count(*)::int as count from pg_locks where locktype = 'advisory' and granted",
    );
    expect(lock).toEqual({ count: 1 });
    const url = server!.url(name);
    await using records = await openRecords({ kind: 'postgres', url }, undefined, {
      bounds: { ...bounds, migrationWaitMs: 60_000 },
    });
    expect(await records.sites.list()).toEqual([]);
  });

  it('is not needed by a start that finds current tables, read-only or locked', async () => {
    const url = await server!.database();
    await (await openRecords({ kind: 'postgres', url })).close();
    const holder = await holdLock(url);
    const name = new URL(url).pathname.slice(1);
    await server!.ask(`alter database ${name} set default_transaction_read_only = on`);
    const log = listLog();
    await using records = await openRecords({ kind: 'postgres', url }, undefined, { log });
    expect(await records.sites.list()).toEqual([]);
    expect(log.lines).toEqual([]);
    await holder.end();
  });

  it('refuses foreign tables of the same names', async () => {
    const url = await server!.database();
    await server!.ask('create table sites (a int)', new URL(url).pathname.slice(1));
    await expect(openRecords({ kind: 'postgres', url })).rejects.toThrow(/^DATABASE_URL: .+ not ours.+ \(42P07\)$/);
  });

  describe('user without a permission', () => {
    const PASSWORD = 'kept-to-ourselves';
    let users = 0;

    /** Opens a database as a user with a login and no other permission, after `prepare` was executed. */
    async function openAs(prepare: (user: string) => readonly string[], isMigrated = true) {
      const url = await server!.database();
      const name = new URL(url).pathname.slice(1);
      if (isMigrated) await (await openRecords({ kind: 'postgres', url })).close();
      const user = `limited_${++users}`;
      await server!.ask(`create role ${user} login password '${PASSWORD}'`);
      for (const text of prepare(user)) await server!.ask(text, name);
      return openRecords({ kind: 'postgres', url: server!.url(name, user, PASSWORD) });
    }

    const granted = (user: string) =>
      Object.entries(NEEDED_RIGHTS).map(([table, rights]) => `grant ${rights.join(', ')} on ${table} to ${user}`);

    it.each<[string, string, boolean, (user: string) => readonly string[]]>([
      ['CREATE on the schema', 'CREATE on the schema public', false, () => []],
      [
        'the ownership of what is there',
        'the ownership of the tables in the schema public',
        true,
        (user) => [
          ...granted(user),
          `grant create on schema public to ${user}`,
          `grant all on kysely_migration, kysely_migration_lock to ${user}`,
          "delete from kysely_migration where name = '2026-11-26-stamps'",
        ],
      ],
      ['SELECT on what says which are there', 'SELECT on kysely_migration', true, () => []],
      [
        'one on some tables',
        'DELETE on stamps, INSERT on audit',
        true,
        (user) => [...granted(user), `revoke delete on stamps from ${user}`, `revoke insert on audit from ${user}`],
      ],
    ])('ends with a sentence that names it: %s', async (_, missing, isMigrated, prepare) => {
      await expect(openAs(prepare, isMigrated)).rejects.toThrow(
        new RegExp(`^DATABASE_URL: its user lacks ${missing}; grant it that \\(42501\\)$`),
      );
    });

    it.each([
      [/grant it USAGE on one, or set search_path \(3F000\)$/, () => 'revoke usage on schema public from public'],
      [/set search_path \(42P01\)$/, (user: string) => `alter role ${user} set search_path = pg_catalog`],
    ])('is reported if the tables are not visible: %s', async (sentence, hide) => {
      await expect(openAs((user) => [...granted(user), hide(user)])).rejects.toThrow(sentence);
    });

    it('has enough for the service with the documented permissions', async () => {
      await using records = await openAs(granted);
      await records.change(async ({ sites, keys, audit }) => {
        await sites.add({ id: SHOP, name: 'Shop', createdAt: 1, origins: ['https://shop.example'], policy: '{}' });
        await sites.set(SHOP, { name: 'Ours', isDisabled: false });
        await sites.setPolicy(SHOP, '{"hasLinks":false}');
        await sites.setOrigins(SHOP, ['https://our.example']);
        await keys.add({ id: 'key_1', site: SHOP, kind: 'secret', mode: 'live', value: 'v', hint: 'h', createdAt: 1 });
        await keys.expire({ id: 'key_1', site: SHOP }, 2);
        await keys.revoke({ id: 'key_1', site: SHOP }, 2);
        await audit.add({ at: 1, actor: 'cli', action: 'site.add', site: SHOP, subject: null });
      });
      const { report } = await records.reports.add({
        site: SHOP,
        conversationId: 'c_1' as ConversationId,
        reason: 'spam',
        comment: null,
        messages: null,
        reporter: 'address_a' as AddressHash,
        reporterNetwork: null,
        reportedAddress: 'address_b' as AddressHash,
        reportedNetworks: [],
        reportedBanId: null,
        counts: true,
        createdAt: 1,
      });
      await records.reports.resolve(report.id, 'seen', 2);
      await records.reports.forget(Date.now());
      const ban = { site: SHOP, kind: 'ban_id', value: 'b', reason: 'r', actor: 'cli', createdAt: 1 } as const;
      await records.bans.lift((await records.bans.add({ ...ban, until: null })).id, 2);
      expect((await records.changedSince(null)).sites).toMatchObject([{ name: 'Ours' }]);
      expect((await records.audit.list({ max: 10 })).items).toHaveLength(1);
    });
  });

  it('reports the cause of a failed transaction, not the refusal of later statements', async () => {
    const url = await server!.database();
    await using db = new Kysely<Tables>({ dialect: postgresDialect(url, { bounds: RECORDS_BOUNDS }) });
    const reasons: unknown[] = [];
    const failing = db.transaction().execute(async (on) => {
      for (const text of ['select * from nowhere', 'select 1', "select 'a'::int"]) {
        const asked = sql.raw(text).execute(on);
        reasons.push(await asked.catch((thrown: unknown) => (thrown as DatabaseFailure).reason));
      }
      throw new Error('enough');
    });
    await expect(failing).rejects.toThrow('enough');
    expect(reasons).toEqual(['42P01', '42P01', '42P01']);
  });
});
