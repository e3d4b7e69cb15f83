import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type { Log } from '../observability/log.ts';
import type { RecordsBounds } from './bounds.ts';
import { together, type Database } from './database.ts';
import { DatabaseFailure } from './database-failure.ts';
import { MIGRATIONS } from './migrations.ts';

/** Kysely's own key of the advisory lock on PostgreSQL, which earlier versions take as well. */
const LOCK = sql.lit(3853314791062309107n);

/** Reasons of transient failures: the lock on PostgreSQL is taken, a table there is in use, the file is being written. */
const PASSING: ReadonlySet<string> = new Set(['MIGRATION_LOCK', '55P03', 'SQLITE_BUSY']);

export interface MigrateParts {
  readonly kind: 'sqlite' | 'postgres';
  readonly bounds: RecordsBounds;
  readonly log?: Pick<Log, 'warn'> | undefined;
  /** Replaced by tests. */
  readonly migrations?: Readonly<Record<string, Migration>>;
}

/**
 * Migrates the tables to the latest version, in one transaction. Several processes may call it at once: one migrates,
 * the others wait. Migrations of a later version, which this one does not know, are ignored. Rejects with a
 * `DatabaseFailure` of reason `MIGRATION_WAIT` if another process does not finish.
 */
export async function migrate(db: Database, parts: MigrateParts): Promise<void> {
  const { bounds, log } = parts;
  const deadline = performance.now() + bounds.migrationWaitMs;
  for (;;) {
    try {
      if (await isUpToDate(db, parts)) return;
      await migrateOnce(db, parts);
    } catch (thrown) {
      if (!(thrown instanceof DatabaseFailure) || !PASSING.has(thrown.reason)) throw thrown;
      if (performance.now() > deadline) throw new DatabaseFailure('MIGRATION_WAIT', thrown);
      log?.warn({ reason: thrown.reason }, 'waiting for another process to bring the tables up to date');
      await pause(bounds.migrationPauseMs);
    }
  }
}

/** Returns whether no migration is due. Takes no lock, so that a start with nothing to migrate never waits. */
async function isUpToDate(db: Database, { migrations = MIGRATIONS }: MigrateParts): Promise<boolean> {
  const done = new Set(await executedMigrations(db));
  return Object.keys(migrations).every((name) => done.has(name));
}

function migrateOnce(db: Database, { kind, migrations = MIGRATIONS }: MigrateParts): Promise<void> {
  return together(db, async (transaction) => {
    if (kind === 'postgres') {
      // A process that vanishes in the middle of it loses the lock with the transaction: see `idleInTransactionMs`.
      await sql`set local statement_timeout = 0`.execute(transaction);
      const { rows } = await sql<{ isOurs: boolean }>`select pg_try_advisory_xact_lock(${LOCK}) as "isOurs"`.execute(
        transaction,
      );
      if (rows[0]?.isOurs !== true) throw new DatabaseFailure('MIGRATION_LOCK');
    }
    const strangers = Object.fromEntries((await executedMigrations(transaction)).map((name) => [name, LATER]));
    const provider = { getMigrations: () => Promise.resolve({ ...strangers, ...migrations }) };
    const migrator = new Migrator({ db: transaction, provider, allowUnorderedMigrations: true });
    const { error } = await migrator.migrateToLatest();
    if (error instanceof Error) throw error;
    if (error !== undefined) throw new Error('the tables cannot be migrated', { cause: error });
  });
}

/** Placeholder for a migration of a later version: it has been executed, and is neither repeated nor reverted. */
const LATER: Migration = { up: () => Promise.reject(new Error('This migration is of a later version')) };

async function executedMigrations(db: Database): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'kysely_migration')) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  return rows.map(({ name }) => name);
}
