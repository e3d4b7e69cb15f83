import { randomBytes } from 'node:crypto';

/** 96 bits, so that no two ids are ever the same. */
const RANDOM_BYTES = 12;

/**
 * Returns an id for one request in the log and in its answer. Always generated: an id that a client sends is never
 * used.
 */
export function newRequestId(): string {
  return `req_${randomBytes(RANDOM_BYTES).toString('base64url')}`;
}

/** Returns the id in the form of an answer's `instance` (RFC 9457). */
export function instanceOf(requestId: string): string {
  return `urn:passerby:request:${requestId}`;
}
