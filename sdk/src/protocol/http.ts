import type { WireError } from './errors.ts';
import type { ResumeToken, SiteKey } from './ids.ts';
import type { Policy } from './policy.ts';

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
  /** This one request, as it is called in the service's log: `urn:passerby:request:req_…`. */
  readonly instance: string;
}

/** What `GET /healthz` answers: whether the process lives. 503 while it drains. */
export interface Health {
  readonly status: 'ok' | 'draining';
  readonly store: 'memory' | 'redis';
}

/** Why a process should get no visitors now. */
export const READINESS_REASONS = [
  /** It is about to end. */
  'draining',
  /** The state store does not answer in time. */
  'store_unavailable',
  /** What it knows of sites, keys and bans may be out of date: the database does not answer. */
  'records_stale',
  /** It has more to do than it can: who is new had better go elsewhere. */
  'overloaded',
] as const;
export type ReadinessReason = (typeof READINESS_REASONS)[number];

/** What `GET /readyz` answers: 200 when `ready`, 503 otherwise. `reasons` is empty when `ready`. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly reasons: readonly ReadinessReason[];
}

/** What `GET /v1/site?site=pk_…` answers: what a page may know of its site before it connects. */
export interface SiteInfo {
  readonly mode: 'live' | 'test';
  readonly policy: Policy;
}
