import type { Database } from './database.ts';

/** Length of the probe's stamp: more than the free space of one SQLite page, so that the file has to grow by one. */
const STAMP_CHARS = 5_000;
/** Revision number that no change has. */
const REVISION = -1;

/** Writes a little data that nobody reads. Rejects if the database takes no writes. */
export async function probe(db: Database, kind: 'sqlite' | 'postgres'): Promise<void> {
  if (kind === 'postgres') {
    // A lock is a write, and refused where there are none; it waits for nobody, and leaves no dead row behind.
    await db.selectFrom('revisions').select('value').where('id', '=', 1).forUpdate().skipLocked().execute();
    return;
  }
  await db.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('stamps')
      .values({ revision: REVISION, stamp: 'x'.repeat(STAMP_CHARS) })
      .execute();
    await transaction.deleteFrom('stamps').where('revision', '=', REVISION).execute();
  });
}
