import { SUPPORTED_VERSIONS, type ErrorCode, type HandshakeAuth } from '@passerby/sdk/protocol';
import { handshakeAuth } from '../contract/handshake.ts';
import { Refusal } from '../errors.ts';

/** Validated credentials of a handshake. */
export interface Credentials {
  readonly resume: HandshakeAuth['resume'];
  readonly claims: HandshakeAuth['claims'];
}

/** Reads the CONNECT packet's `auth`. Throws `bad_request`, `client_too_old` or `server_too_old`. */
export function readAuth(auth: unknown): Credentials {
  const version = (auth as { version?: unknown } | null | undefined)?.version;
  const [oldest, newest] = SUPPORTED_VERSIONS;
  if (typeof version === 'number' && version < oldest) throw new Refusal('client_too_old');
  if (typeof version === 'number' && version > newest)
    throw new Refusal('server_too_old', { retryAfterMs: SERVER_UPDATE_MS });
  const parsed = handshakeAuth.safeParse(auth);
  if (!parsed.success) throw new Refusal('bad_request');
  return { resume: parsed.data.resume, claims: parsed.data.claims };
}

/** Approximate time for which a rolling deploy leaves old processes running beside new pages. Milliseconds. */
const SERVER_UPDATE_MS = 60_000;

/**
 * Refusal of a handshake at the HTTP level if one address has too many open connections: there is room for the code
 * only.
 */
export const REFUSED_CROWD: ErrorCode = 'rate_limited';
