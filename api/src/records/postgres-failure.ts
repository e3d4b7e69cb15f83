import { isBug } from '../errors.ts';
import { reasonOf } from '../observability/log.ts';
import { DatabaseFailure } from './database-failure.ts';

/** Classes of SQLSTATE that say something of the statement and its values, not of the server: those stay as they are. */
const OWN_FAULTS = /^(?:22|23)...$/;

/** Errors of `pg` that have no code. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/exceeded when trying to connect/, 'NO_FREE_CONNECTION'],
  [/timeout/, 'CONNECT_TIMEOUT'],
  [/SSL/, 'TLS_REFUSED'],
  [/password must be/, 'NO_PASSWORD'],
  [/terminated|connection error|closed/i, 'CONNECTION_LOST'],
];

/** Returns an error of `pg` as callers get it. One that says something of the statement and its values stays as it is, and so does a bug. */
export function postgresFailure(thrown: unknown): unknown {
  if (thrown instanceof DatabaseFailure || isBug(thrown)) return thrown;
  const { code, message = '' } = thrown as { readonly code?: string; readonly message?: string };
  if (code !== undefined && OWN_FAULTS.test(code)) return thrown;
  const reason = code === undefined ? WORDS.find(([words]) => words.test(message))?.[1] : reasonOf(thrown);
  return new DatabaseFailure(reason ?? 'UNKNOWN', thrown);
}
