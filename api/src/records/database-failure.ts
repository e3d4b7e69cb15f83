import { Refusal, RETRY_AFTER_MS } from '../errors.ts';
import { reasonOf } from '../observability/log.ts';

/**
 * Failure of the database to carry out a statement: it is unreachable, silent, slow, full, locked, read-only, or
 * replaced. Answered as `unavailable`. The last statement may have been carried out nevertheless.
 */
export class DatabaseFailure extends Refusal {
  /** Code of the library or server, such as `ECONNREFUSED`, `57P01` or `SQLITE_FULL`. */
  readonly reason: string;

  constructor(reason: string, cause?: unknown, message?: string) {
    super('unavailable', { retryAfterMs: RETRY_AFTER_MS, cause, ...(message !== undefined && { message }) });
    this.reason = reason;
  }
}

/** Returns the `reason` to log for something thrown: that of a `DatabaseFailure`, otherwise a code by `reasonOf`. */
export function failureReason(thrown: unknown): string | undefined {
  return thrown instanceof DatabaseFailure ? thrown.reason : reasonOf(thrown);
}
