import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../src/clock.ts';
import { openRecords, type OpenOptions, type Records } from '../src/records/records.ts';

/** Deadlines that no statement exceeds on a busy machine, for tests that are about something else. */
export const PATIENT: OpenOptions = {
  bounds: {
    connectMs: 60_000,
    statementMs: 60_000,
    lockMs: 60_000,
    queryMs: 90_000,
    idleInTransactionMs: 90_000,
    transactionMs: 90_000,
  },
};

/** Temporary folder of the test, deleted after it. */
export function tempFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'passerby-records-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Records in a temporary file of the test. */
export async function tempRecords(
  clock?: Clock,
): Promise<{ readonly records: Records; readonly folder: string } & AsyncDisposable> {
  const folder = tempFolder();
  const records = await openRecords({ kind: 'sqlite', folder: folder.path }, clock, PATIENT).catch((error: unknown) => {
    folder[Symbol.dispose]();
    throw error;
  });
  return {
    records,
    folder: folder.path,
    [Symbol.asyncDispose]: async () => {
      await records.close();
      folder[Symbol.dispose]();
    },
  };
}
