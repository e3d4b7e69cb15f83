import type { WireError } from './errors.ts';
import type { ResumeToken, SiteKey } from './ids.ts';

/** Path of the Socket.IO endpoint. */
export const SOCKET_PATH = '/socket.io/';

/** Query of the handshake request: which site this page belongs to. No secret, ever. */
export interface HandshakeQuery {
  readonly site: SiteKey;
}

/** The `auth` payload of the Socket.IO CONNECT packet. */
export interface HandshakeAuth {
  readonly version: number;
  /** Token of the last `session:ready`, to come back to that session. */
  readonly resume?: ResumeToken;
  /** What the site says about this visitor: a JWT signed with its secret key. At most `LIMITS.claimsMaxChars`. */
  readonly claims?: string;
}

/** An HTTP refusal: RFC 9457 problem details, `application/problem+json`. */
export interface Problem {
  /** Address of the code's entry in the docs, or `about:blank`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: WireError['code'];
  readonly retryAfterMs?: number;
}

/** What `GET /healthz` answers while the process can serve. */
export interface Health {
  readonly status: 'ok' | 'draining';
  readonly store: 'memory' | 'redis';
}
