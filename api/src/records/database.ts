import type { Kysely } from 'kysely';
import type { RecordsBounds } from './bounds.ts';
import type { Tables } from './tables.ts';

export type Database = Kysely<Tables>;

export interface ConnectionParts {
  readonly bounds: RecordsBounds;
  /** Called with the reason of every failure of the database. */
  readonly failed?: ((reason: string) => void) | undefined;
}

/** Runs `work` in one transaction: a new one, or the one that `db` already is. */
export function together<T>(db: Database, work: (db: Database) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
