import type { IncomingMessage } from 'node:http';
import {
  SOCKET_PATH,
  SUPPORTED_VERSIONS,
  type ErrorCode,
  type HandshakeAuth,
  type SiteKey,
} from '@passerby/sdk/protocol';
import { handshakeAuth } from '../contract/handshake.ts';
import { Refusal } from '../errors.ts';
import { isOriginAllowed } from '../sites/origin-rule.ts';
import type { Site } from '../sites/site.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';

/** What a handshake asks for, once its words are checked. */
interface Credentials {
  readonly resume: HandshakeAuth['resume'];
  readonly claims: HandshakeAuth['claims'];
}

/**
 * The site a request speaks for, if its key is known and its Origin is on that site's list; `null`
 * otherwise, without saying which of the two it was.
 */
export function admit(request: IncomingMessage, sites: SiteDirectory): Site | null {
  const keys = queryOf(request).getAll('site');
  const site = keys.length === 1 ? sites.find(keys[0]!) : undefined;
  return site !== undefined && isOriginAllowed(request.headers.origin, site.origins) ? site : null;
}

/** The publishable key of a request that was admitted. */
export function keyOf(request: IncomingMessage): SiteKey {
  return queryOf(request).get('site') as SiteKey;
}

/** The query as Engine.IO reads it: what it takes for a `sid` must not look like something else here. */
export function queryOf({ url = SOCKET_PATH }: IncomingMessage): URLSearchParams {
  return new URL(url, 'https://service.invalid').searchParams;
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

/** How long a rolling deploy leaves old processes running beside new pages, roughly. Milliseconds. */
const SERVER_UPDATE_MS = 60_000;

/** What a refused handshake is told at the HTTP level, where there is no room for more than a word. */
export const REFUSED_ORIGIN: ErrorCode = 'origin_refused';
/** The same where too many connections of one address are open. */
export const REFUSED_CROWD: ErrorCode = 'rate_limited';
