import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { describe, it } from 'vitest';
import { openRecords, SQLITE_FILE } from '../src/records/records.ts';
import { expectPutBackIsNoticed } from './put-back-contract.ts';
import { PATIENT, tempFolder } from './temp-records.ts';

describe('restore of a SQLite file under running nodes', () => {
  it.each(['fewer', 'as many', 'more'] as const)('is detected, with %s changes since', async (changes) => {
    using folder = tempFolder();
    using kept = tempFolder();
    const file = join(folder.path, SQLITE_FILE);
    const keptFile = join(kept.path, SQLITE_FILE);
    /** Backs up and restores as `sqlite3 file ".backup …"` and `".restore …"` do. */
    const copy = async (from: string, to: string) => {
      const source = new DatabaseSync(from);
      await backup(source, to);
      source.close();
    };
    await expectPutBackIsNoticed(
      {
        place: { kind: 'sqlite', folder: folder.path },
        keep: () => copy(file, keptFile),
        putBack: async (change) => {
          {
            await using earlier = await openRecords({ kind: 'sqlite', folder: kept.path }, undefined, PATIENT);
            await change(earlier);
          }
          await copy(keptFile, file);
        },
      },
      changes,
    );
  });
});
