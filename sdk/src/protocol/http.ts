import type { WireError } from './errors.ts';
import type { ResumeToken, SiteKey } from './ids.ts';
import type { Policy } from './policy.ts';

/** Path of the Socket.IO endpoint. */
export const SOCKET_PATH = '/socket.io/';

/** Query of the handshake request: the site of the page. Never contains a secret. */
export interface HandshakeQuery {
  readonly site: SiteKey;
}

/** The `auth` payload of the Socket.IO CONNECT packet. */
export interface HandshakeAuth {
  readonly version: number;
  /** Token of the last `session:ready`, to resume that session. */
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
  /** Id of this request in the service's log: `urn:passerby:request:req_…`. */
  readonly instance: string;
}

/** Answer of `GET /healthz` (liveness): 503 while the process drains. */
export interface Health {
  readonly status: 'ok' | 'draining';
  readonly store: 'memory' | 'redis';
}

/** Faults of a process. With any of these but `records_unwritable` it should get no visitors. */
export const READINESS_REASONS = [
  /** The process is shutting down. */
  'draining',
  /** The state store takes no writes, or not in time. See `Readiness.storeFaults`. */
  'store_unavailable',
  /** The node bus delivers nothing from other processes. See `Readiness.storeFaults`. */
  'link_silent',
  /** The cached sites, keys and bans may be stale: the database does not answer. */
  'records_stale',
  /** The database takes no writes: new reports are refused, and conversations go on. The log has the reason. */
  'records_unwritable',
  /** The process is overloaded: new visitors should go to another one. */
  'overloaded',
] as const;
export type ReadinessReason = (typeof READINESS_REASONS)[number];

/**
 * Faults by which the state store takes no writes, or the node bus delivers nothing. Codes in capitals that a server or
 * the operating system defines are theirs.
 */
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
  /** The slot of these keys is being migrated to another node of the Cluster. */
  'TRYAGAIN',
  /** The slot is on another node, which could not be reached either; or a Cluster was configured as a single server. */
  'MOVED',
  /** The server is still loading its data from disk. */
  'LOADING',
  /** The server is busy running a script. */
  'BUSY',
  /** A password is needed. */
  'NOAUTH',
  /** User or password is wrong. */
  'WRONGPASS',
  /** The user may not run a required command, or not use a required key or channel. */
  'NOPERM',
  /** The user may not publish, so that no message reaches other processes. */
  'NO_PUBLISH',
  /** The user may not subscribe, so that no message of other processes arrives. */
  'NO_SUBSCRIBE',
  /** Messages that this process sends to itself through the node bus do not come back. */
  'NO_ECHO',
  /** The database number cannot be selected. */
  'DATABASE',
  /** Nothing listens at the address. */
  'ECONNREFUSED',
  /** The connection broke. */
  'ECONNRESET',
  /** There is no route to the address. */
  'EHOSTUNREACH',
  /** The host name cannot be resolved. */
  'ENOTFOUND',
  /** The TLS handshake failed. */
  'TLS',
  /** No answer came in time. */
  'TIMEOUT',
  /** There is no connection at the moment; a new one is being opened. */
  'CLOSED',
  /** Any other fault. */
  'UNKNOWN',
] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

/** Answer of `GET /readyz`: 200 when `ready`, 503 otherwise. When `ready`, `reasons` is empty or `records_unwritable` alone. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly reasons: readonly ReadinessReason[];
  /**
   * Present faults of the state store, each once; absent while there are none. May be present while the status is
   * `ready`: if they concern only some of the sites, the process goes on serving the others.
   */
  readonly storeFaults?: readonly StoreFault[];
}

/** Answer of `GET /v1/site?site=pk_…`: public information on a site for a page before it connects. */
export interface SiteInfo {
  readonly mode: 'live' | 'test';
  readonly policy: Policy;
}
