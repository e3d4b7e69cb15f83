import { Cluster, type Redis } from 'ioredis';
import type { StoreFault } from '@passerby/sdk/protocol';
import { storeFaultOf } from './store-fault.ts';

type RedisClient = Redis | Cluster;

/** Time for which the last fault of a connection explains commands that find it closed. Milliseconds. */
const EXPLAINS_MS = 10_000;

/** Latest fault of each connection, and when it was noticed, as `performance.now()`. */
const lastFaults = new WeakMap<RedisClient, { readonly fault: StoreFault; readonly at: number }>();

/** Notes an error of a connection or of an attempt to open it. Returns its fault; `null` if it explains nothing. */
export function noteFault(client: RedisClient, error: Error): StoreFault | null {
  const fault = storeFaultOf(error);
  // Only says that what came before was not survived.
  if (fault === 'CLOSED') return null;
  lastFaults.set(client, { fault, at: performance.now() });
  return fault;
}

/** Forgets the faults of a connection that is open again. */
export function forgetFaults(client: RedisClient): void {
  lastFaults.delete(client);
}

/**
 * Returns the fault that explains why a command on one of these connections failed: that of the error, or else the last
 * one of the connections.
 */
export function explainFault(clients: readonly RedisClient[], thrown: unknown): StoreFault {
  const fault = storeFaultOf(thrown);
  if (fault !== 'CLOSED') return fault;
  const known = [...clients.map(recentFault), ...clients.map(connectionFault)];
  return known.find((each) => each !== null) ?? fault;
}

/** Returns the fault by which this connection accepts no commands now; `null` if it does. */
export function connectionFault(client: RedisClient): StoreFault | null {
  if (client.status === 'ready') return null;
  // A Cluster that answers and is not whole is waited for without an error.
  return recentFault(client) ?? (client instanceof Cluster ? 'CLUSTERDOWN' : 'CLOSED');
}

function recentFault(client: RedisClient): StoreFault | null {
  const last = lastFaults.get(client);
  return last === undefined || performance.now() - last.at > EXPLAINS_MS ? null : last.fault;
}
