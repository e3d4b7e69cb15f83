import { chmodSync, closeSync, mkdirSync, openSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseFailure } from './database-failure.ts';

/** Permission bits of everybody but the file's owner. */
const OTHERS = 0o077;

/** Suffixes of the files that SQLite keeps beside the database file. */
const BESIDE = ['-wal', '-shm', '-journal'] as const;

/**
 * Creates a folder and its missing parents. Node's own `recursive` loops for ever where the file system reports an
 * existing folder as missing, as `/proc` does.
 */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (isFolder(path)) return;
    const above = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isFolder(above)) throw error;
    makeFolder(above);
    makeFolder(path);
  }
}

/** Returns whether a path exists. Throws if that cannot be determined, such as in a folder of another user. */
function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function tighten(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || (stats.mode & OTHERS) === 0) return true;
  try {
    chmodSync(path, stats.mode & 0o700);
    return true;
  } catch {
    // It is another user's, who decides; this one is told.
    return false;
  }
}

/** Database file, with a check that its path still leads to it. */
export class SqliteFile {
  readonly path: string;
  /** Warnings about the file: fixed sentences. */
  readonly warnings: readonly string[];
  readonly #made: Pick<Stats, 'dev' | 'ino'>;

  /**
   * Creates a missing folder and file, for this user only; with `isMade: false` throws a `DatabaseFailure` of reason
   * `NO_DATABASE` instead. Throws one of reason `FILE_GONE` if the file is missing and its side files exist: a new file
   * would adopt them, and corrupt the old one when it is restored. Permissions of database files that others may read
   * are tightened; those of a folder are not, since it may hold more than the database.
   */
  constructor(path: string, { isMade = true }: { readonly isMade?: boolean } = {}) {
    const folder = dirname(path);
    if (!isThere(path)) {
      if (BESIDE.some((suffix) => isThere(`${path}${suffix}`))) throw new DatabaseFailure('FILE_GONE');
      if (!isMade) throw new DatabaseFailure('NO_DATABASE');
    }
    makeFolder(folder);
    try {
      // SQLite gives the files beside it the mode of this one. Not opened if it is there: closing it would take locks of
      // this process away.
      closeSync(openSync(path, 'wx', 0o600));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const areTight = [path, ...BESIDE.map((suffix) => `${path}${suffix}`)].map(tighten);
    this.path = path;
    this.warnings = [
      ...((statSync(folder).mode & OTHERS) === 0
        ? []
        : ['the folder of DATA_DIR is open to other users of this machine']),
      ...(areTight.every(Boolean) ? [] : ['the database in DATA_DIR is open to other users of this machine']),
    ];
    this.#made = statSync(path);
  }

  /** Throws a `DatabaseFailure` if the file was removed or replaced by another: writes to it are lost. */
  check(): void {
    const stats = statSync(this.path, { throwIfNoEntry: false });
    if (stats === undefined) throw new DatabaseFailure('FILE_GONE');
    if (stats.ino !== this.#made.ino || stats.dev !== this.#made.dev) throw new DatabaseFailure('FILE_REPLACED');
  }
}
