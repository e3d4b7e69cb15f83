import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { SiteId } from '../domain/ids.ts';
import type { Database } from './database.ts';
import type { RowCheck } from './row-check.ts';

/**
 * Version of the data that a directory follows. A number alone is not enough: a database that was restored to an
 * earlier state and changed further reaches the same numbers again.
 */
export interface Revision {
  /** Number that rises by one with every change. */
  readonly number: number;
  /** Random stamp of the change that led to this revision. */
  readonly stamp: string;
}

/** Maximum number of changes whose stamps are kept. A node that missed more makes a full read. */
export const STAMPS_MAX = 1_000;

/** Returns a stamp for a change: 72 random bits. */
export function newStamp(): string {
  return randomBytes(9).toString('base64url');
}

export function isSameRevision(a: Revision, b: Revision): boolean {
  return a.number === b.number && a.stamp === b.stamp;
}

/** Returns the present revision. */
export async function revisionOf(db: Database, check: RowCheck): Promise<Revision> {
  const row = await db.selectFrom('revisions').select(['value', 'stamp']).where('id', '=', 1).executeTakeFirst();
  const { value, stamp } = check.one('revisions', row ?? { value: null, stamp: null });
  return { number: value, stamp };
}

/**
 * Returns whether a revision led to the present one. If not, or if its stamp is no longer kept, the database may have
 * been restored.
 */
export async function leadsTo(db: Database, earlier: Revision, present: Revision): Promise<boolean> {
  if (earlier.number >= present.number) return isSameRevision(earlier, present);
  const row = await db.selectFrom('stamps').select('stamp').where('revision', '=', earlier.number).executeTakeFirst();
  return row?.stamp === earlier.stamp;
}

/**
 * Raises the revision by one, and blocks every other change until this transaction ends, so that a reader of revision
 * `n` sees all changes up to `n`.
 */
export async function raiseRevision(db: Database): Promise<number> {
  const stamp = newStamp();
  const { value } = await db
    .updateTable('revisions')
    .set({ value: sql<number>`value + 1`, stamp })
    .where('id', '=', 1)
    .returning('value')
    .executeTakeFirstOrThrow();
  await db
    .insertInto('stamps')
    .values({ revision: value, stamp })
    // Somebody may have set the number back by hand.
    .onConflict((conflict) => conflict.column('revision').doUpdateSet({ stamp }))
    .execute();
  await db
    .deleteFrom('stamps')
    .where('revision', '<=', value - STAMPS_MAX)
    .execute();
  return value;
}

/** Counts a change of a site. Returns whether the site exists. */
export async function touchSite(db: Database, id: SiteId): Promise<boolean> {
  const revision = await raiseRevision(db);
  const { numUpdatedRows } = await db.updateTable('sites').set({ revision }).where('id', '=', id).executeTakeFirst();
  return numUpdatedRows > 0n;
}
