import { TIMES } from '@passerby/sdk/protocol';
import type { SiteId } from '../../domain/ids.ts';

const DAY_MS = 24 * 60 * 60_000;
/**
 * Time for which the reply of an operation is kept, so that a retry changes nothing. Longer than any retry.
 * Milliseconds.
 */
const OPERATION_MS = 60_000;
/** Time without a heartbeat after which a node counts as dead. Milliseconds. */
export const NODE_LEASE_MS = 15_000;
/** Duration of the lease by which one node sweeps a site. Milliseconds. */
export const SWEEP_LEASE_MS = 5_000;

/** Time for which the visitors of a conversation are known after its end, and the delay of a sweep. Milliseconds. */
const REPORT_MS = TIMES.reportMs + 60_000;

interface KeyRow {
  readonly holds: string;
  readonly ttlMs: number;
  /** Name in Redis where it differs: the previous version has to find the key. */
  readonly storedAs?: string;
}

/**
 * Registry of a site's keys in Redis, with their content, and their lifetime after the last write. There are no
 * permanent keys. All carry the hash tag `{site}`, so that a site's keys are on one Cluster node.
 */
export const KEYS = {
  sessions: { holds: 'hash: session id → record', ttlMs: DAY_MS },
  tokens: { holds: 'hash: resume token → session id', ttlMs: DAY_MS },
  placed: { holds: 'sorted set: node NUL session, of connected sessions', ttlMs: DAY_MS },
  nodes: { holds: 'sorted set: node, by when its lease ends', ttlMs: DAY_MS },
  away: { holds: 'sorted set: session, by when its connection went', ttlMs: DAY_MS },
  waits: { holds: 'hash: session id → wait', ttlMs: DAY_MS },
  index: { holds: 'sorted set: tag NUL since seq session, of those in the queue', ttlMs: DAY_MS },
  due: { holds: 'sorted set: session, by when its next step is due', ttlMs: DAY_MS },
  conversations: { holds: 'hash: conversation id → record', ttlMs: DAY_MS },
  pendingMatches: {
    holds: 'sorted set: conversation, by when it must be confirmed',
    ttlMs: DAY_MS,
    storedAs: 'claims',
  },
  recent: { holds: 'list: lengths of recent waits', ttlMs: DAY_MS },
  meetings: { holds: 'sorted set: two sessions, by when they met', ttlMs: DAY_MS },
  blocks: { holds: 'sorted set: two sessions, by when one blocked the other', ttlMs: DAY_MS },
  parties: { holds: 'hash: conversation id → its two sessions and their fingerprints', ttlMs: REPORT_MS },
  over: { holds: 'sorted set: conversation, by when it ended', ttlMs: REPORT_MS },
  counters: { holds: 'hash: revision, seq, examined; how far repairs came', ttlMs: DAY_MS },
  sweeper: { holds: 'string: the node that sweeps', ttlMs: SWEEP_LEASE_MS },
  op: { holds: 'string: answer of one request', ttlMs: OPERATION_MS },
} as const satisfies Record<string, KeyRow>;

export type KeyName = keyof typeof KEYS;

/** Returns the name of a key in Redis, without its prefix. */
export function storedNameOf(name: KeyName): string {
  return (KEYS[name] as KeyRow).storedAs ?? name;
}

/** Prefix of every key, for the ACL of the Redis user. */
export const PREFIX = 'passerby:';

/** Returns the name of a key; no other code builds one. `operation` is for `op` only. */
export function keyOf(name: KeyName, site: SiteId, operation: string): string {
  const key = `${PREFIX}{${site}}:${storedNameOf(name)}`;
  return name === 'op' ? `${key}:${operation}` : key;
}
