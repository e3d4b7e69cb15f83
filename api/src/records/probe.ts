import type { Database } from './database.ts';

/** More than fits into one page of SQLite beside others, so that the file has to have room for another one. */
const STAMP_CHARS = 5_000;
/** No revision has it. */
const REVISION = -1;

/** Writes a little that nobody reads, or rejects with the reason why that cannot be done. */
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
