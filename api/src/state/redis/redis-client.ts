import { Cluster, Redis } from 'ioredis';
import type { StoreFault } from '@passerby/sdk/protocol';
import { hostsInTurn, type HostList } from './hosts-in-turn.ts';
import { ForeignAnswer, renewConnection } from './foreign-answer.ts';
import { PREFIX } from './keys.ts';
import { whyNotOpened } from './opening-error.ts';
import { missingRight } from './script-rights.ts';
import { isDenied, isOfSelect, storeFaultOf } from './store-fault.ts';
import { hearAnswers, keepConnecting } from './lasting-connection.ts';

/** Client of a single server, one behind Sentinel, or a Cluster: all run scripts and publish. */
export type RedisClient = Redis | Cluster;

/** Oldest supported major version of Redis, with features that the scripts use. */
export const REDIS_MAJOR_MIN = 7;

/** Maximum pause between attempts to connect: service has to resume within 3 s of Redis coming back. Milliseconds. */
const RECONNECT_MAX_MS = 1_000;
const reconnectAfterMs = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 5), RECONNECT_MAX_MS);

/**
 * Options of every connection. With ioredis's defaults a lost reply runs the same script twice, and a timed-out command
 * may run later. With these an error means "outcome unknown", and the caller retries with the same operation id.
 */
const CONNECTION = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // Subscribed anew by us: where ioredis does so and fails, nobody catches it, and the process ends.
  autoResubscribe: false,
  // Longer than `socketTimeout`: an answer that is only late is waited for, one that is lost comes with a lost connection.
  // Where nothing else was answered meanwhile the connection is made anew (`hearAnswers`).
  commandTimeout: 2_000,
  socketTimeout: 1_500,
  // Also the time for a TLS handshake.
  connectTimeout: 2_000,
  // A peer that is frozen does not close its side either: the new connection is not kept waiting for that.
  disconnectTimeout: 300,
  // A server that reads its data is asked again this often, and not as late as it guesses.
  maxLoadingRetryTime: 500,
  retryStrategy: reconnectAfterMs,
};
type Options = typeof CONNECTION & { readonly reconnectOnError: (error: Error) => boolean };

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

/**
 * Interval of pings on a subscription, which is idle by nature. Without a reply within `socketTimeout` it reconnects.
 * Milliseconds.
 */
const LISTENING_PING_MS = 2_000;

/** Time for which the last fault of a connection explains commands that find it closed. Milliseconds. */
const EXPLAINS_MS = 10_000;

/** Address of Redis, parsed from `REDIS_URL`. */
export type RedisAddress =
  /** `url` is complete and encoded; `db` is its database number. */
  | { readonly kind: 'single'; readonly url: string; readonly db: number }
  | {
      readonly kind: 'sentinel';
      readonly hosts: readonly Host[];
      readonly name: string;
      readonly options: Credentials;
    }
  | { readonly kind: 'cluster'; readonly hosts: readonly Host[]; readonly options: Credentials };

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

export interface Host {
  readonly host: string;
  readonly port: number;
}

const FORMS =
  'redis://, rediss://, redis+sentinel://host:26379,host:26379/name or redis+cluster://host:6379,host:6379 (rediss+… for TLS)';

/**
 * Reads `redis[s]://[user:password@]host[:port][/db]`, `redis[s]+sentinel://…/name` and `redis[s]+cluster://…`,
 * strictly, so that no library gets an invalid one. Throws an `Error` that never quotes the address, since it may hold
 * a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const parts = /^(rediss?)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^/@?]+)(?:\/([^/?]*))?$/.exec(text);
  if (parts === null) throw new Error(`an address such as ${FORMS}`);
  const [, scheme, form, credentials, hostList, path = ''] = parts;
  const hosts = hostList!.split(',').map((entry) => hostOf(entry, form === '+sentinel' ? 26_379 : 6_379));
  // Only the first colon parts the two: a password may hold others.
  const [, username, password] = (/^([^:]*)(?::(.*))?$/s.exec(credentials ?? '') ?? []).map((part) => decoded(part));
  const options: Credentials = {
    ...(username !== undefined && username !== '' && { username }),
    ...(password !== undefined && { password }),
    ...(scheme === 'rediss' && { tls: {} }),
  };
  switch (form) {
    case '+cluster':
      if (path !== '') throw new Error('a Cluster address without /db: a Cluster has one database');
      return { kind: 'cluster', hosts, options };
    case '+sentinel':
      if (path === '') throw new Error('a Sentinel address that ends in /name of the master');
      return { kind: 'sentinel', hosts, name: decoded(path), options };
    default: {
      if (hosts.length > 1) throw new Error(`an address of one server; several are ${FORMS}`);
      if (!/^\d{0,5}$/.test(path)) throw new Error('an address that ends in /db, the number of a database');
      return {
        kind: 'single',
        url: urlOf(scheme!, credentials === undefined ? null : [username, password], hosts[0]!, Number(path)),
        db: Number(path),
      };
    }
  }
}

/** Parses `host`, `host:port`, `[::1]` or `[::1]:port`. */
function hostOf(entry: string, defaultPort: number): Host {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]?#\\%]+))(?::(\d{1,5}))?$/i.exec(entry);
  const port = Number(parts?.[3] ?? defaultPort);
  if (parts === null || port < 1 || port > 65_535)
    throw new Error(`an address of host:port, with a port from 1 to 65535, as in ${FORMS}`);
  return { host: (parts[1] ?? parts[2])!, port };
}

function urlOf(scheme: string, credentials: (string | undefined)[] | null, { host, port }: Host, db: number): string {
  const [username = '', password] = credentials ?? [];
  const before =
    password === undefined
      ? encodeURIComponent(username)
      : `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  return `${scheme}://${credentials === null ? '' : `${before}@`}${host.includes(':') ? `[${host}]` : host}:${port}/${db}`;
}

function decoded<Part extends string | undefined>(part: Part): Part {
  try {
    return (part === undefined ? undefined : decodeURIComponent(part)) as Part;
  } catch {
    throw new Error('an address whose user and password are percent-encoded');
  }
}

export interface ConnectionWatch {
  /** Called for each failure of the connection, including attempts to open it. */
  readonly onFault?: (fault: StoreFault) => void;
}

/** Latest fault of each connection, and when it was noticed, as `performance.now()`. */
const lastFaults = new WeakMap<RedisClient, { readonly fault: StoreFault; readonly at: number }>();

/** Connects, and keeps trying until `disconnect`. A subscription is a plain `Redis` connection even to a Cluster. */
export function connectRedis(address: RedisAddress, use: 'commands', watch?: ConnectionWatch): RedisClient;
export function connectRedis(address: RedisAddress, use: 'subscription', watch?: ConnectionWatch): Redis;
export function connectRedis(
  address: RedisAddress,
  use: 'commands' | 'subscription',
  { onFault }: ConnectionWatch = {},
): RedisClient {
  const note = (error: Error) => {
    const fault = storeFaultOf(error);
    // Only says that what came before was not survived.
    if (fault === 'CLOSED') return;
    lastFaults.set(client, { fault, at: performance.now() });
    onFault?.(fault);
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
    client.on('ready', () => lastFaults.delete(client));
  }
  keepConnecting(client);
  if (use === 'subscription') keepAsking(client as Redis);
  return client;
}

/**
 * Pings a connection to detect that it is dead. The outcome of the ping is ignored: the connection itself reports the
 * failure, and reconnects.
 */
function keepAsking(client: Redis): void {
  const pings = setInterval(() => {
    if (client.status === 'ready') client.ping().catch(() => undefined);
  }, LISTENING_PING_MS).unref();
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect = false) => {
    if (!reconnect) clearInterval(pings);
    disconnect(reconnect);
  };
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

function create(address: RedisAddress, use: 'commands' | 'subscription', options: Options): RedisClient {
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

type ClusterAddress = Extract<RedisAddress, { kind: 'cluster' }>;

function cluster(address: ClusterAddress, options: Options): Cluster {
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

/**
 * Creates a connection to one node of a Cluster, any of which accepts subscriptions, and to the next one when it fails.
 * The subscriber inside ioredis has no deadlines, and receives nothing any more after a frozen node or a lost
 * connection.
 */
function clusterSubscription(address: ClusterAddress, options: Options): Redis {
  const hosts: HostList = { all: address.hosts };
  const client = new Redis({ ...options, ...address.options, Connector: hostsInTurn(hosts, address.options.tls) });
  client.on('ready', () => {
    client
      .cluster('SLOTS')
      .then((slots) => (hosts.all = hostsOf(slots as readonly unknown[][], address.hosts)))
      // The nodes known so far go on being tried; a connection that does not answer is made anew by its pings. An answer
      // to another command is no list of nodes, and fails too.
      .catch(() => undefined);
  });
  return client;
}

/** Returns the known hosts, followed by the masters and replicas of `CLUSTER SLOTS`. */
function hostsOf(slots: readonly unknown[][], known: readonly Host[]): readonly Host[] {
  const byName = new Map(known.map((host) => [`${host.host}:${host.port}`, host]));
  for (const [, , ...nodes] of slots) {
    for (const [host, port] of nodes as [unknown, unknown][]) {
      // Empty where a node does not know by which address it is reached.
      if (typeof host === 'string' && host !== '' && typeof port === 'number')
        byName.set(`${host}:${port}`, { host, port });
    }
  }
  return [...byName.values()];
}

/** Maximum time that a start waits for Redis. Milliseconds. */
const FIRST_CONTACT_MS = 5_000;
const FIRST_CONTACT_PAUSE_MS = 50;

/** Key that the probe writes, which expires after a millisecond. One for all processes is enough. */
export const PROBE_KEY = `${PREFIX}probe`;

/** Makes a minimal write. Rejects if Redis takes no writes, or if its replies do not belong to their commands. */
export async function probeRedis(client: RedisClient): Promise<'OK'> {
  const answer: unknown = await client.set(PROBE_KEY, '', 'PX', 1);
  if (answer === 'OK') return answer;
  renewConnection(client);
  throw new ForeignAnswer('the probe: the answer is of another command');
}

export interface CheckOptions {
  readonly withinMs?: number;
  /** Commands that scripts call. */
  readonly commands?: readonly string[];
}

/**
 * Resolves to the version of the Redis (or Valkey) that answers and takes writes. Rejects with an `Error` for operators
 * that names `REDIS_URL` if none does in time, if it is too old, if the database cannot be chosen, or if the user may
 * not run one of `commands` inside scripts.
 */
export async function checkRedis(client: RedisClient, options: CheckOptions = {}): Promise<string> {
  const { withinMs = FIRST_CONTACT_MS, commands = [] } = options;
  const deadline = performance.now() + withinMs;
  // Why there is no connection; a command only learns that there is none.
  let lastError: Error | null = null;
  const note = (error: Error) => {
    // That of a Cluster says no more of nodes that were not reached.
    if (storeFaultOf(error) !== 'CLOSED' || client instanceof Cluster) lastError = error;
  };
  client.on('error', note);
  client.on('node error', note);
  try {
    for (;;) {
      let hasAnswered = false;
      try {
        const info = String(await client.info('server'));
        hasAnswered = client.status === 'ready';
        const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'of an unknown version';
        if (Number.parseInt(version, 10) < REDIS_MAJOR_MIN)
          throw new Unusable(`Redis ${version} is too old: ${REDIS_MAJOR_MIN} or newer is needed`);
        // INFO is let through before the connection takes anything else.
        if (!hasAnswered) throw new Error('the connection is not ready');
        await probeRedis(client);
        const missing = await missingRight(client, commands);
        if (missing !== null)
          throw new Unusable(`the user of REDIS_URL may not run ${missing} inside scripts (NOPERM): see docs/redis.md`);
        return version;
      } catch (thrown) {
        if (thrown instanceof Unusable) throw thrown;
        const error = (hasAnswered ? null : lastError) ?? (thrown as Error);
        if (isOfSelect(error)) {
          const { db } = (client as Redis).options;
          throw new Unusable(`the database ${db} that REDIS_URL names cannot be chosen: ${error.message}`);
        }
        // Nothing to wait for: who grants the right has to start the service again anyway.
        if (isDenied(error.message))
          throw new Unusable(`the user of REDIS_URL lacks a right (${error.message}): see docs/redis.md`);
        if (performance.now() > deadline) throw new Error(whyNotOpened(client, error), { cause: error });
        await new Promise((resolve) => setTimeout(resolve, FIRST_CONTACT_PAUSE_MS));
      }
    }
  } finally {
    client.off('error', note);
    client.off('node error', note);
  }
}

class Unusable extends Error {}

/** Resolves to the eviction policies of all queried servers with a memory limit that evict keys; empty if none does. */
export async function evictingPolicies(client: RedisClient): Promise<readonly string[]> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  const infos = await Promise.all(servers.map((server) => server.info('memory')));
  const policies = infos.map(evictingPolicyOf).filter((policy) => policy !== null);
  return [...new Set(policies)];
}

/** Returns the eviction policy of a server; `null` if it evicts no keys, or has no memory limit. */
export function evictingPolicyOf(infoMemory: string): string | null {
  const valueOf = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(infoMemory)?.[1];
  const policy = valueOf('maxmemory_policy') ?? 'noeviction';
  return policy === 'noeviction' || valueOf('maxmemory') === '0' ? null : policy;
}
