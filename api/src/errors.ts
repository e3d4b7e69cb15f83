import { ERRORS, type ErrorCode, type WireError } from '@passerby/sdk/protocol';

/** A refusal with a code of the one error table. Anything else that is thrown is a bug and becomes `internal`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, detail: { message?: string; retryAfterMs?: number; cause?: unknown } = {}) {
    super(detail.message ?? ERRORS[code].message, { cause: detail.cause });
    this.code = code;
    this.retryAfterMs = detail.retryAfterMs;
  }

  /** The refusal as it travels; nothing of the cause goes along. */
  toWire(): WireError {
    const wire = { code: this.code, message: this.message };
    return this.retryAfterMs === undefined ? wire : { ...wire, retryAfterMs: this.retryAfterMs };
  }
}

/** Time to wait before a retry, after a failure that may be over by then. Milliseconds. */
export const RETRY_AFTER_MS = 1_000;

/** Returns the answer to anything that was thrown: a refusal as it is, the rest as `internal` without detail. */
export function toRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  return new Refusal('internal', { retryAfterMs: RETRY_AFTER_MS, cause: thrown });
}

/** Returns whether something thrown is a mistake in the code, and says nothing of what the code asked: a server, a file, a setting. */
export function isBug(thrown: unknown): thrown is Error {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((mistake) => thrown instanceof mistake);
}
