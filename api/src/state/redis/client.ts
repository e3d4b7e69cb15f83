import { Cluster, Redis } from 'ioredis';

/** One server, one behind Sentinel, or a Cluster: all run scripts and publish. */
export type RedisClient = Redis | Cluster;

/** Oldest Redis this works on: scripts use what came with it. */
export const REDIS_MAJOR_MIN = 7;

/** Serving again within 3 s of Redis coming back leaves no room for long pauses. Milliseconds. */
const RECONNECT_MAX_MS = 1_000;

/**
 * With ioredis's defaults a lost reply runs the same script twice, and a timed-out command may run later.
 * With these an error means "outcome unknown", and the caller asks again under the same operation id.
 */
const COMMANDS = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // Longer than `socketTimeout`: an answer that is only late is waited for, one that is lost comes with a lost connection.
  commandTimeout: 2_000,
  socketTimeout: 1_500,
  connectTimeout: 2_000,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 5), RECONNECT_MAX_MS),
};

/**
 * What a subscribing connection needs otherwise: it waits for Redis. It is subscribed anew by us: where
 * ioredis does so and fails, nobody catches it, and the process ends.
 */
const LISTENING = { ...COMMANDS, enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: false };
/** How often a subscription, silent by nature, is asked whether it lives. No answer within `socketTimeout` makes it anew. Milliseconds. */
const LISTENING_PING_MS = 2_000;

/** Where Redis is, as `REDIS_URL` says it. */
export type RedisAddress =
  /** `url` is whole and encoded; `db` the number of the database in it. */
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
 * Reads `redis[s]://[user:password@]host[:port][/db]`, `redis[s]+sentinel://…/name` and
 * `redis[s]+cluster://…`, whole: nothing is left for a library to trip over. Throws an `Error` that never repeats the
 * address: it may hold a password.
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

/** Of `host`, `host:port`, `[::1]` or `[::1]:port`. */
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

/** Connects. `use` is what the connection is for: commands fail fast, a subscription waits. */
export function connectRedis(address: RedisAddress, use: 'commands' | 'subscription'): RedisClient {
  const options = use === 'commands' ? COMMANDS : LISTENING;
  const client = create(address, options);
  // Without a listener every failed attempt is printed; callers learn of an outage from their commands.
  client.on('error', () => undefined);
  if (use === 'subscription') {
    // A ping only makes a dead connection show: what becomes of it is said by the connection, which is made anew.
    const pings = setInterval(() => void client.ping().catch(() => undefined), LISTENING_PING_MS).unref();
    client.once('end', () => clearInterval(pings));
  }
  return client;
}

function create(address: RedisAddress, options: typeof COMMANDS | typeof LISTENING): RedisClient {
  switch (address.kind) {
    case 'single':
      return new Redis(address.url, options);
    case 'sentinel':
      return new Redis({
        ...options,
        ...address.options,
        sentinels: [...address.hosts],
        name: address.name,
        // Without these two `tls` is passed over in silence, and the password travels in the clear.
        ...(address.options.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: address.options.tls }),
      });
    case 'cluster':
      return new Cluster([...address.hosts], {
        enableOfflineQueue: options.enableOfflineQueue,
        redisOptions: { ...options, ...address.options },
      });
  }
}

/** How long a start waits for Redis. Milliseconds. */
const FIRST_CONTACT_MS = 5_000;

/** The version of the Redis (or Valkey) that answers. Throws an `Error` in plain words if none does or it is too old. */
export async function checkRedis(client: RedisClient): Promise<string> {
  const deadline = performance.now() + FIRST_CONTACT_MS;
  // Why there is no connection; a command only learns that there is none.
  let reason: string | null = null;
  client.on('error', (error: Error) => (reason = error.message));
  for (;;) {
    try {
      const info = String(await client.info('server'));
      const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'of an unknown version';
      if (Number.parseInt(version, 10) < REDIS_MAJOR_MIN)
        throw new TooOld(`Redis ${version} is too old: ${REDIS_MAJOR_MIN} or newer is needed`);
      // INFO is let through before the connection takes anything else.
      if (client.status === 'ready') return version;
      throw new Error('the connection is not ready');
    } catch (error) {
      if (error instanceof TooOld) throw error;
      if (performance.now() > deadline)
        throw new Error(`no Redis answers at REDIS_URL: ${reason ?? (error as Error).message}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

class TooOld extends Error {}
