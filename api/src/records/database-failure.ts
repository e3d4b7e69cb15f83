import { Refusal } from '../errors.ts';
import { reasonOf } from '../observability/log.ts';

/** Time that a caller waits before the next try. Milliseconds. */
const RETRY_AFTER_MS = 1_000;

/**
 * The database did not do what it was asked: it is away, silent, slow, full, locked, read-only, or not what it was.
 * Answered as `unavailable`. What was asked for last may have been done all the same.
 */
export class DatabaseFailure extends Refusal {
  /** Code of the library or server, such as `ECONNREFUSED`, `57P01` or `SQLITE_FULL`. */
  readonly reason: string;

  constructor(reason: string, cause?: unknown, message?: string) {
    super('unavailable', { retryAfterMs: RETRY_AFTER_MS, cause, ...(message !== undefined && { message }) });
    this.reason = reason;
  }
}

/** Fields of a log line about something thrown: the reason of a failing server, otherwise where it was thrown. */
export function failureReason(thrown: unknown): string | undefined {
  return thrown instanceof DatabaseFailure ? thrown.reason : reasonOf(thrown);
}
