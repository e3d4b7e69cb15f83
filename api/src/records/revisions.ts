import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { SiteId } from '../domain/ids.ts';
import type { Database } from './database.ts';
import type { RowCheck } from './row-check.ts';

/**
 * A state of all that a directory follows. A number alone would not do: a database that was put back to an earlier state
 * and changed further comes to the same numbers again.
 */
export interface Revision {
  /** Rises by one with every change. */
  readonly number: number;
  /** Random, of the change that led here. */
  readonly stamp: string;
}

/** Maximum number of changes whose stamps are kept. A node that missed more reads everything anew. */
export const STAMPS_MAX = 1_000;

/** Stamp of a change: 72 random bits. */
export function newStamp(): string {
  return randomBytes(9).toString('base64url');
}

export function isSameRevision(a: Revision, b: Revision): boolean {
  return a.number === b.number && a.stamp === b.stamp;
}

/** The present state of what a directory follows. */
export async function revisionOf(db: Database, check: RowCheck): Promise<Revision> {
  const row = await db.selectFrom('revisions').select(['value', 'stamp']).where('id', '=', 1).executeTakeFirst();
  const { value, stamp } = check.one('revisions', row ?? { value: null, stamp: null });
  return { number: value, stamp };
}

/** Returns whether a revision led to the present one. If not, or if that is too long ago to say, the database may have been put back. */
export async function leadsTo(db: Database, earlier: Revision, present: Revision): Promise<boolean> {
  if (earlier.number >= present.number) return isSameRevision(earlier, present);
  const row = await db.selectFrom('stamps').select('stamp').where('revision', '=', earlier.number).executeTakeFirst();
  return row?.stamp === earlier.stamp;
}

/**
 * Counts one change, and holds off every other change until this transaction is over: whoever reads revision
 * `n` sees all that was changed up to `n`.
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

/** Counts a change of a site. Whether it is there. */
export async function touchSite(db: Database, id: SiteId): Promise<boolean> {
  const revision = await raiseRevision(db);
  const { numUpdatedRows } = await db.updateTable('sites').set({ revision }).where('id', '=', id).executeTakeFirst();
  return numUpdatedRows > 0n;
}
