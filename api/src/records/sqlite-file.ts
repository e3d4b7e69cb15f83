import { chmodSync, closeSync, mkdirSync, openSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseFailure } from './database-failure.ts';

/** Permission bits of others than the file's own user. */
const OTHERS = 0o077;

/** Ends of the names of files that belong to the one of the database. */
const BESIDE = ['-wal', '-shm', '-journal'] as const;

/**
 * Makes a folder and those above it that are missing. Node's own `recursive` tries for ever where the file system says that
 * a folder is missing that is there, as `/proc` does.
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

/** Throws where it cannot be known, such as in a folder of another user. */
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

/** The file of the database, and whether its path still leads to it. */
export class SqliteFile {
  readonly path: string;
  /** Warnings about the file: fixed sentences. */
  readonly warnings: readonly string[];
  readonly #made: Pick<Stats, 'dev' | 'ino'>;

  /**
   * Makes folder and file if they are missing, for this user only; with `isMade: false` throws a `DatabaseFailure` of
   * reason `NO_DATABASE` instead. One of reason `FILE_GONE` is thrown where the file is missing and what SQLite keeps
   * beside it is there: a new file would take over that rest, and ruin the old one when it is put back. Files of the database that others may read are
   * tightened; a folder is left as it is, since more than the database may be in it.
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

  /** Throws `DatabaseFailure` if the file was removed or another one has taken its place: what is written to it is lost. */
  check(): void {
    const stats = statSync(this.path, { throwIfNoEntry: false });
    if (stats === undefined) throw new DatabaseFailure('FILE_GONE');
    if (stats.ino !== this.#made.ino || stats.dev !== this.#made.dev) throw new DatabaseFailure('FILE_REPLACED');
  }
}
