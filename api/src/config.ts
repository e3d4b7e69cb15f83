import { z } from 'zod';
import { SHED_FROM_MS } from './rate-limiting/event-loop-load.ts';
import { LOG_LEVELS } from './observability/log.ts';
import { isLoopback } from './privacy/own-machine.ts';
import { checkDatabaseUrl } from './records/database-url.ts';
import type { RecordsPlace } from './records/records-place.ts';
import { parseRedisUrl } from './state/redis/redis-address.ts';

/** Reads an address by a function that throws what it must be. The value is not repeated: it may hold a password. */
function readBy<Address>(read: (text: string) => Address) {
  return (text: string, context: z.RefinementCtx<string>): Address => {
    try {
      return read(text);
    } catch (error) {
      context.issues.push({ code: 'custom', message: (error as Error).message, input: undefined });
      return z.NEVER;
    }
  };
}

/** A folder or file: what no file system takes is refused here, in words, and so is a line break that came along. */
function pathOf(what: string) {
  return z.string().refine((text) => !/\p{Cc}/u.test(text) && text.trim() !== '', what);
}

const environment = z.object({
  /** Port to listen on; 0 takes a free one. */
  PORT: z.coerce
    .number('a port number')
    .int('a whole number')
    .min(0, 'a port from 0 to 65535')
    .max(65_535, 'a port from 0 to 65535')
    .default(3000),
  /** Address to listen on. Loopback unless set: nobody else reaches the service by accident. */
  HOST: z.string().min(1, 'an address or host name, such as 0.0.0.0').default('127.0.0.1'),
  /** JSON file with sites that are added to the records at the start, or brought up to date there. */
  SITES_FILE: pathOf('the path of a JSON file').optional(),
  /** Address of PostgreSQL, for sites, keys, reports and bans; without it they are in a file of `DATA_DIR`. */
  DATABASE_URL: z
    .string()
    .transform(readBy((text) => (checkDatabaseUrl(text), text)))
    .optional(),
  /** Folder of the embedded database; made if it is missing. */
  DATA_DIR: pathOf('the path of a folder').default('./data'),
  /** Address of Redis. With it many processes serve the same visitors; without it one process keeps all in memory. */
  REDIS_URL: z.string().transform(readBy(parseRedisUrl)).optional(),
  /** Number of proxies of one's own that stand in front: as many entries of X-Forwarded-For, from the right, are believed. */
  TRUSTED_HOPS: z.coerce
    .number('a number')
    .int('a whole number')
    .min(0, 'a number from 0 to 10')
    .max(10, 'a number from 0 to 10')
    .default(0),
  /** Multiplies what visitors may do and how often; for places where all share one address, and for tests of load. */
  RATE_LIMIT_FACTOR: z.coerce
    .number('a number')
    .min(0.1, 'a number from 0.1 to 10000')
    .max(10_000, 'a number from 0.1 to 10000')
    .default(1),
  /** Delay of the event loop, nine turns out of ten, from which new sessions are shed. Milliseconds. */
  SHED_FROM_MS: z.coerce
    .number('a number of milliseconds')
    .int('a whole number')
    .min(50, 'a number from 50 to 60000')
    .max(60_000, 'a number from 50 to 60000')
    .default(SHED_FROM_MS),
  /** URL of the service from outside, such as https://chat.example.com. */
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'an http or https address' }).optional(),
  /** Port of its own for `GET /metrics`; 0 takes a free one. Unset: there is none. */
  METRICS_PORT: z.coerce
    .number('a port number')
    .int('a whole number')
    .min(0, 'a port from 0 to 65535')
    .max(65_535, 'a port from 0 to 65535')
    .optional(),
  /** Address that port listens on. Loopback unless set; on any other with a `METRICS_TOKEN` only. */
  METRICS_HOST: z.string().min(1, 'an address or host name, such as 0.0.0.0').default('127.0.0.1'),
  /** Bearer token for `GET /metrics`, also on the main port. */
  METRICS_TOKEN: z
    .string()
    .regex(/^\S{16,}$/, 'at least 16 characters without spaces')
    .optional(),
  /** Bearer token for the operators' API; without it there is none. */
  OPERATOR_TOKEN: z
    .string()
    .regex(/^\S{32,}$/, 'at least 32 characters without spaces')
    .optional(),
  /** Whom to tell of a weakness, for `/.well-known/security.txt`. */
  SECURITY_CONTACT: z
    .string()
    .regex(/^(mailto:\S+@\S+|https:\/\/\S+)$/, 'a mailto: or https: address')
    .optional(),
  /** Level of the log, as JSON lines on stderr. */
  LOG_LEVEL: z.enum(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`).default('info'),
});

export type Config = z.output<typeof environment>;

/** Names of the variables the service reads. */
export const CONFIG_NAMES = Object.keys(environment.shape) as readonly (keyof Config)[];

/** Thrown for a bad environment; each line of the message names a variable and what it must be. Values are not repeated: they may be secrets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Returns the place of the records that is configured. */
export function recordsPlace({ DATABASE_URL, DATA_DIR }: Pick<Config, 'DATABASE_URL' | 'DATA_DIR'>): RecordsPlace {
  return DATABASE_URL === undefined ? { kind: 'sqlite', folder: DATA_DIR } : { kind: 'postgres', url: DATABASE_URL };
}

/** Reads the environment. An empty variable counts as unset. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(
    CONFIG_NAMES.map((name) => [name, env[name]?.trim() === '' ? undefined : env[name]]),
  );
  const parsed = environment.safeParse(given);
  if (parsed.success) {
    const { PORT, METRICS_PORT, METRICS_HOST, METRICS_TOKEN } = parsed.data;
    if (METRICS_PORT === PORT && PORT !== 0) throw new ConfigError('METRICS_PORT must be another port than PORT');
    if (METRICS_PORT !== undefined && METRICS_TOKEN === undefined && !isLoopback(METRICS_HOST))
      throw new ConfigError('METRICS_TOKEN must be set where METRICS_HOST is not loopback');
    return parsed.data;
  }
  throw new ConfigError(
    parsed.error.issues.map((issue) => `${issue.path.join('.')} must be ${issue.message}`).join('\n'),
  );
}
