import { randomBytes } from 'node:crypto';

/** 96 bits: as many as it takes that no two are ever the same. */
const RANDOM_BYTES = 12;

/** Names one request in the log and in its answer. Always made here: what a client calls its request is never taken over. */
export function newRequestId(): string {
  return `req_${randomBytes(RANDOM_BYTES).toString('base64url')}`;
}

/** The same name as it stands in an answer (RFC 9457, `instance`). */
export function instanceOf(requestId: string): string {
  return `urn:passerby:request:${requestId}`;
}
