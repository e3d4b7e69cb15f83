import { sql, type Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations.ts';
import type { SiteId } from '../state/state-store.ts';
import type { Tables } from './tables.ts';

export type Database = Kysely<Tables>;

/** Brings the tables up to date. Several processes may do so at once: one does, the others wait for it. */
export async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error) throw error;
  if (error !== undefined) throw new Error('the tables cannot be brought up to date', { cause: error });
}

/** Runs `work` in one transaction: a new one, or the one that `db` already is. */
export function together<T>(db: Database, work: (db: Database) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

/** The count of changes to what a directory follows. */
export async function revisionOf(db: Database): Promise<number> {
  const { value } = await db.selectFrom('revisions').select('value').where('id', '=', 1).executeTakeFirstOrThrow();
  return value;
}

/**
 * Counts one change, and holds off every other change until this transaction is over: whoever reads revision
 * `n` sees all that was changed up to `n`.
 */
export async function raiseRevision(db: Database): Promise<number> {
  const { value } = await db
    .updateTable('revisions')
    .set({ value: sql<number>`value + 1` })
    .where('id', '=', 1)
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}

/** Counts a change of a site. Whether it is there. */
export async function touchSite(db: Database, id: SiteId): Promise<boolean> {
  const revision = await raiseRevision(db);
  const { numUpdatedRows } = await db.updateTable('sites').set({ revision }).where('id', '=', id).executeTakeFirst();
  return numUpdatedRows > 0n;
}
