import { resolve } from 'node:path';
import { DatabaseFailure } from './database-failure.ts';
import { MissingRights } from './postgres-rights.ts';
import type { RecordsPlace } from './records-place.ts';

/** Faults of `DATABASE_URL`, by reason. */
const POSTGRES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its host and port; start PostgreSQL, or correct them',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be resolved at present',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its host cannot be reached',
  ENOENT: 'it names a socket or a file that is not there',
  ECONNRESET: 'its host closes the connection; is this PostgreSQL, and is its port right?',
  CONNECTION_LOST: 'its host closes the connection; is this PostgreSQL, and is its port right?',
  ETIMEDOUT: 'its host does not answer in time',
  CONNECT_TIMEOUT: 'its host does not answer in time',
  QUERY_TIMEOUT: 'its host does not answer in time',
  '57014': 'its host does not answer in time',
  '28P01': 'its user or password is refused',
  '28000': 'its user is refused, or not without TLS: see pg_hba.conf of the server',
  NO_PASSWORD: 'it needs a password',
  UNREADABLE_ANSWER:
    'its host is not PostgreSQL, or requires another authentication method than a password: see pg_hba.conf of the server',
  '3D000': 'its database does not exist; create it with CREATE DATABASE',
  '42P01': 'its tables are in a schema that its user does not look at; set search_path',
  '3F000': 'its user has no schema to create tables in; grant it USAGE on one, or set search_path',
  '25006': 'it leads to a read-only server, such as a replica; name the one that takes writes',
  '42P07': 'its database has tables of the same names that are not ours; give the service a database of its own',
  '53300': 'its server has no connection left; raise max_connections, or start fewer processes',
  '53100': 'the disk of its server is full',
  '57P03': 'its server is starting up or shutting down; try again',
  TLS_REFUSED: 'its server does not speak TLS; take sslmode out, or switch TLS on there',
  MIGRATION_WAIT:
    'another process has held the migration lock or a lock on the tables for too long; see pg_stat_activity',
};

const TLS = 'the certificate of its server is not trusted; set sslrootcert, or correct its name';
for (const code of [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])
  Object.assign(POSTGRES, { [code]: TLS });

/** Faults of `DATA_DIR`, by reason. */
const SQLITE: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of its path is not a folder',
  EEXIST: 'there is a file of that name, not a folder',
  ENOENT: 'the folder, or a file in it, cannot be made there; name another one',
  EACCES: 'this user may not look or write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is on a disk that is read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  ENAMETOOLONG: 'its path is too long',
  ELOOP: 'its path goes in a circle',
  NO_DATABASE: 'there is no database in that folder yet; a start of the service or `site add` makes one',
  FILE_GONE:
    'passerby.sqlite is missing, but its -wal, -shm or -journal is there; put it back, or move those away too to begin with an empty database',
  SQLITE_CANTOPEN: 'the file of the database cannot be opened',
  SQLITE_READONLY: 'the file of the database is read-only',
  SQLITE_PERM: 'this user may not read the file of the database',
  SQLITE_AUTH: 'this user may not read the file of the database',
  SQLITE_NOTADB: 'the file of the database is something else',
  SQLITE_CORRUPT: 'the file of the database is damaged; put a backup in its place',
  SQLITE_ERROR: 'the file of the database has tables that are not ours',
  SQLITE_FULL: 'its disk is full',
  SQLITE_IOERR: 'its disk cannot be read or written',
  SQLITE_BUSY: 'another process is writing to the file of the database for too long',
  MIGRATION_WAIT: 'another process has been migrating the tables, or writing, for too long',
};

/** Returns the fault of the place of the records, and its remedy; `undefined` for a reason without an entry. */
export function whatToDo({ kind }: RecordsPlace, reason: string): string | undefined {
  return (kind === 'postgres' ? POSTGRES : SQLITE)[reason];
}

/** Place of the records for people: a folder, or the name of the variable, since its value may hold a password. */
export function placeName(place: RecordsPlace): string {
  return place.kind === 'postgres' ? 'DATABASE_URL' : `DATA_DIR (${resolve(place.folder)})`;
}

/** Failure to open the records. The message names their place by `placeName`. */
export class OpeningError extends Error {
  override readonly name = 'OpeningError';

  /** `thrown` is the error of opening them. */
  constructor(place: RecordsPlace, thrown: unknown) {
    const reason = thrown instanceof DatabaseFailure ? thrown.reason : 'UNKNOWN';
    const sentence =
      thrown instanceof MissingRights
        ? `its user lacks ${thrown.rights.join(', ')}; grant it that`
        : (whatToDo(place, reason) ?? 'the database cannot be opened');
    super(`${placeName(place)}: ${sentence} (${reason})`, { cause: thrown });
  }
}
