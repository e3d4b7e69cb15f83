import { DatabaseFailure } from './database-failure.ts';
import { isBug } from '../errors.ts';
import { reasonOf } from '../observability/log.ts';

/** SQLite's primary result codes, by number: https://www.sqlite.org/rescode.html */
const CODES: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  2: 'SQLITE_INTERNAL',
  3: 'SQLITE_PERM',
  4: 'SQLITE_ABORT',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  9: 'SQLITE_INTERRUPT',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  17: 'SQLITE_SCHEMA',
  22: 'SQLITE_NOLFS',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
};

/**
 * Returns the primary result code of an error of Node's SQLite; 0 for any other error. The rest of `errcode` is more
 * specific.
 */
export function sqliteCodeOf(thrown: unknown): number {
  const { errcode } = thrown as { readonly errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : 0;
}

/**
 * Converts an error of SQLite or of the file system into a `DatabaseFailure`. An error in the statement or its values
 * is not converted, nor is a bug.
 */
export function sqliteFailure(thrown: unknown): unknown {
  if (thrown instanceof DatabaseFailure || isBug(thrown)) return thrown;
  const reason = sqliteCodeOf(thrown) === 0 ? reasonOf(thrown) : CODES[sqliteCodeOf(thrown)];
  return reason === undefined ? thrown : new DatabaseFailure(reason, thrown);
}
