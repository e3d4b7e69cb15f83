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
