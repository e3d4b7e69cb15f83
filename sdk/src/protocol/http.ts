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
  /** Claims of the site about this visitor: a JWT signed with its secret key. At most `LIMITS.claimsMaxChars`. */
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

/** Answer of `GET /healthz`: whether the process lives. 503 while it drains. */
export interface Health {
  readonly status: 'ok' | 'draining';
  readonly store: 'memory' | 'redis';
}

/** Faults of a process. For any of these but `records_unwritable` it should get no visitors now. */
export const READINESS_REASONS = [
  /** It is about to end. */
  'draining',
  /** The state store does not take writes, or not in time. `Readiness.storeFaults` says why. */
  'store_unavailable',
  /** Nothing comes through from other processes. `Readiness.storeFaults` says why. */
  'link_silent',
  /** Sites, keys and bans as it knows them may be out of date: the database does not answer. */
  'records_stale',
  /** The database takes no writes: what is reported now is refused, and conversations go on. The log says why. */
  'records_unwritable',
  /** It has more to do than it can: who is new had better go elsewhere. */
  'overloaded',
] as const;
export type ReadinessReason = (typeof READINESS_REASONS)[number];

/** Why the state store does not take writes, or carries nothing from process to process. Codes in capitals that a server or the operating system has are theirs. */
export const STORE_FAULTS = [
  /** The server is a replica, or was demoted to one. */
  'READONLY',
  /** The server has reached its `maxmemory`. */
  'OOM',
  /** The server refuses writes because it cannot save to disk. */
  'MISCONF',
  /** The server refuses writes because too few replicas follow it. */
  'NOREPLICAS',
  /** The server is a replica without a master. */
  'MASTERDOWN',
  /** No Sentinel names a master. */
  'NO_MASTER',
  /** The Cluster does not serve this slot, or any. */
  'CLUSTERDOWN',
  /** The slot of these keys is on its way to another node of the Cluster. */
  'TRYAGAIN',
  /** The slot is on another node, which was not reached either; or the address of a Cluster is that of a single server. */
  'MOVED',
  /** The server reads its data from disk. */
  'LOADING',
  /** The server is kept busy by a script. */
  'BUSY',
  /** A password is needed. */
  'NOAUTH',
  /** User or password are wrong. */
  'WRONGPASS',
  /** The user may not send a command, or not use a key or channel, that is needed. */
  'NOPERM',
  /** The user may not publish, so that nothing goes to other processes. */
  'NO_PUBLISH',
  /** The user may not subscribe, so that nothing comes from other processes. */
  'NO_SUBSCRIBE',
  /** Messages that this process sends to itself through the node bus do not come back. */
  'NO_ECHO',
  /** The number of the database cannot be chosen. */
  'DATABASE',
  /** Nothing listens at the address. */
  'ECONNREFUSED',
  /** The connection broke. */
  'ECONNRESET',
  /** There is no way to the address. */
  'EHOSTUNREACH',
  /** The name of the server has no address. */
  'ENOTFOUND',
  /** The TLS handshake failed. */
  'TLS',
  /** No answer came in time. */
  'TIMEOUT',
  /** There is no connection at this moment; a new one is being made. */
  'CLOSED',
  /** None of these. */
  'UNKNOWN',
] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

/** Answer of `GET /readyz`: 200 when `ready`, 503 otherwise. When `ready`, `reasons` is empty or `records_unwritable` alone. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly reasons: readonly ReadinessReason[];
  /**
   * Faults of the state store as of now, each once; absent while there are none. They may be there while the status is
   * `ready`: where only some of the sites are concerned, the process goes on serving the others.
   */
  readonly storeFaults?: readonly StoreFault[];
}

/** Answer of `GET /v1/site?site=pk_…`: the part of its site that a page may know before it connects. */
export interface SiteInfo {
  readonly mode: 'live' | 'test';
  readonly policy: Policy;
}
