import { isBug } from '../errors.ts';
import { reasonOf } from '../observability/log.ts';
import { DatabaseFailure } from './database-failure.ts';

/** SQLSTATE classes of errors in the statement or its values, not in the server: those are not converted. */
const OWN_FAULTS = /^(?:22|23)...$/;

/** Errors of `pg` that have no code. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/exceeded when trying to connect/, 'NO_FREE_CONNECTION'],
  [/timeout/, 'CONNECT_TIMEOUT'],
  [/SSL/, 'TLS_REFUSED'],
  [/password must be/, 'NO_PASSWORD'],
  [/terminated|connection error|closed/i, 'CONNECTION_LOST'],
];

/**
 * Converts an error of `pg` into a `DatabaseFailure`. An error in the statement or its values is not converted, nor is
 * a bug.
 */
export function postgresFailure(thrown: unknown): unknown {
  if (thrown instanceof DatabaseFailure || isBug(thrown)) return thrown;
  const { code, message = '' } = thrown as { readonly code?: string; readonly message?: string };
  if (code !== undefined && OWN_FAULTS.test(code)) return thrown;
  const reason = code === undefined ? WORDS.find(([words]) => words.test(message))?.[1] : reasonOf(thrown);
  return new DatabaseFailure(reason ?? 'UNKNOWN', thrown);
}
