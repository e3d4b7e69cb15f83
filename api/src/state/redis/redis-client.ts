import { Cluster, Redis } from 'ioredis';
import type { StoreFault } from '@passerby/sdk/protocol';
import { clusterSubscription } from './cluster-subscription.ts';
import { forgetFaults, noteFault } from './connection-fault.ts';
import { CONNECTION, reconnectAfterMs, type ConnectionOptions } from './connection-options.ts';
import { hearAnswers, keepAsking, keepConnecting } from './lasting-connection.ts';
import type { RedisAddress } from './redis-address.ts';

/** Client of a single server, one behind Sentinel, or a Cluster: all run scripts and publish. */
export type RedisClient = Redis | Cluster;

/** Maximum time until a Sentinel answers a query before the next one is asked. Milliseconds. */
const SENTINEL_ANSWER_MS = 1_000;
/** Maximum time until a Cluster node answers `CLUSTER SLOTS` before the next one is asked. Milliseconds. */
const SLOTS_ANSWER_MS = 1_000;
/**
 * Pause before a command is retried on a Cluster whose slot is being migrated, or whose node has just failed. ioredis
 * retries 15 times, in total less than a request may take. Milliseconds.
 */
const CLUSTER_RETRY_MS = 50;
/** Minimum time between two reconnects for error replies, which may come for every command. Milliseconds. */
const LEAVE_EVERY_MS = 1_000;

export interface ConnectionWatch {
  /** Called for each failure of the connection, including attempts to open it. */
  readonly onFault?: (fault: StoreFault) => void;
}

/** Connects, and keeps trying until `disconnect`. A subscription is a plain `Redis` connection even to a Cluster. */
export function connectRedis(address: RedisAddress, use: 'commands', watch?: ConnectionWatch): RedisClient;
export function connectRedis(address: RedisAddress, use: 'subscription', watch?: ConnectionWatch): Redis;
export function connectRedis(
  address: RedisAddress,
  use: 'commands' | 'subscription',
  { onFault }: ConnectionWatch = {},
): RedisClient {
  const note = (error: Error) => {
    const fault = noteFault(client, error);
    if (fault !== null) onFault?.(fault);
  };
  const client: RedisClient = create(address, use, { ...CONNECTION, reconnectOnError: leaveWrongServer(note) });
  // Without a listener every failed attempt is printed; callers learn of an outage from their commands.
  client.on('error', (error: Error) => {
    note(error);
    // What was refused in the handshake (`SELECT`, `AUTH`) is not in force, and ioredis would go on without it.
    if (client instanceof Redis && client.status === 'connect') client.disconnect(true);
  });
  if (client instanceof Cluster) {
    client.on('node error', note);
    client.on('+node', hearAnswers);
  } else {
    hearAnswers(client);
    client.on('ready', () => forgetFaults(client));
  }
  keepConnecting(client);
  if (use === 'subscription') keepAsking(client as Redis);
  return client;
}

/** Calls the listener whenever a server is connected, also after a reconnect. */
export function onConnected(client: RedisClient, listener: () => void): void {
  if (client instanceof Redis) {
    client.on('ready', listener);
    return;
  }
  const follow = (node: Redis) => void node.on('ready', listener);
  client.nodes('all').forEach(follow);
  client.on('+node', follow);
}

/**
 * Reconnects a connection that leads to the wrong server: a demoted master answers `READONLY` for ever, and may keep
 * its connections.
 */
function leaveWrongServer(note: (error: Error) => void): (error: Error) => boolean {
  let leftAt = -Infinity;
  return (error) => {
    if (!/^(?:READONLY|MASTERDOWN) /.test(error.message) || performance.now() - leftAt < LEAVE_EVERY_MS) return false;
    leftAt = performance.now();
    note(error);
    return true;
  };
}

function create(address: RedisAddress, use: 'commands' | 'subscription', options: ConnectionOptions): RedisClient {
  switch (address.kind) {
    case 'single':
      return new Redis(address.url, options);
    case 'sentinel':
      return new Redis({
        ...options,
        ...address.options,
        sentinels: [...address.hosts],
        name: address.name,
        sentinelCommandTimeout: SENTINEL_ANSWER_MS,
        // Without these two `tls` is passed over in silence, and the password travels in the clear.
        ...(address.options.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: address.options.tls }),
      });
    case 'cluster':
      return use === 'commands' ? cluster(address, options) : clusterSubscription(address, options);
  }
}

function cluster(address: Extract<RedisAddress, { kind: 'cluster' }>, options: ConnectionOptions): Cluster {
  return new Cluster([...address.hosts], {
    enableOfflineQueue: false,
    slotsRefreshTimeout: SLOTS_ANSWER_MS,
    clusterRetryStrategy: reconnectAfterMs,
    retryDelayOnTryAgain: CLUSTER_RETRY_MS,
    retryDelayOnClusterDown: CLUSTER_RETRY_MS,
    retryDelayOnFailover: CLUSTER_RETRY_MS,
    redisOptions: { ...options, ...address.options },
  });
}
