import { Kysely, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RECORDS_BOUNDS } from '../src/records/bounds.ts';
import { migrate } from '../src/records/migrate.ts';
import { MIGRATIONS } from '../src/records/migrations.ts';
import { postgresDialect } from '../src/records/postgres.ts';
import { openRecords } from '../src/records/records.ts';
import type { Tables } from '../src/records/tables.ts';
import { TcpProxy } from './faults/tcp-proxy.ts';
import { listLog } from './harness.ts';
import { PostgresServer } from './servers/postgres-server.ts';

let server: PostgresServer | undefined;
beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterAll(() => server?.stop());

/** Takes the lock as versions do that let Kysely take it. */
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
/** As many looks at the lock as fit into a second. */
const bounds = { migrationPauseMs: 20, migrationWaitMs: 1_000 };

describe('bringing the tables of PostgreSQL up to date', { timeout: 60_000 }, () => {
  it('waits for another process with a word, and ends with a sentence if that does not finish', async () => {
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

  it('goes on once another process has finished or died, however long a statement may take', async () => {
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
      await vi.waitFor(() => expect(log.lines.length).toBeGreaterThan(5), { timeout: 20_000 });
      await over(holder);
      await using records = await opening;
      expect(await records.sites.list()).toEqual([]);
    }
  });

  it('takes as long as it takes: the short deadline of statements does not hold for it', async () => {
    const url = await server!.database();
    const short = { ...RECORDS_BOUNDS, statementMs: 100, lockMs: 100 };
    await using db = new Kysely<Tables>({ dialect: postgresDialect(url, { bounds: short }) });
    const slow = {
      'a-slow-one': { up: (on: Kysely<never>) => sql`select pg_sleep(0.5)`.execute(on).then(() => undefined) },
    };
    await migrate(db, { kind: 'postgres', bounds: short, migrations: { ...slow, ...MIGRATIONS } });
    await expect(sql`select pg_sleep(0.5)`.execute(db)).rejects.toMatchObject({ reason: '57014' });
  });

  it('is not held up for ever by a process that vanishes in the middle of it', async () => {
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

  it('is not needed by a start that finds all there, read-only or locked', async () => {
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

  it('refuses tables of the same names that are somebody else’s', async () => {
    const url = await server!.database();
    await server!.ask('create table sites (a int)', new URL(url).pathname.slice(1));
    await expect(openRecords({ kind: 'postgres', url })).rejects.toThrow(/^DATABASE_URL: .+ not ours.+ \(42P07\)$/);
  });
});
