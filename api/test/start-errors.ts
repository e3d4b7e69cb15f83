import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CONFIG_NAMES } from '../src/config.ts';
import { ServiceProcess } from '../../.config/test/service-process.ts';
import { freePort } from './servers/redis-server.ts';

/** Password or token that must not be printed. */
const SECRET = 'kept-to-ourselves';

const folder = mkdtempSync(join(tmpdir(), 'passerby-starts-'));
const fileOf = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const aFile = fileOf('file', SECRET);
const noDatabase = mkdtempSync(join(folder, 'no-database-'));
writeFileSync(join(noDatabase, 'passerby.sqlite'), `${SECRET} `.repeat(100));

/** Folder whose database is a pipe without a writer. */
const aPipe = mkdtempSync(join(folder, 'pipe-'));
execFileSync('mkfifo', [join(aPipe, 'passerby.sqlite')]);

/** Port whose listener never answers. */
let taken: Server;
/** Port without a listener. */
let free: number;
beforeAll(async () => {
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  free = await freePort();
});
afterAll(() => {
  taken.close();
  rmSync(folder, { recursive: true, force: true });
});

const takenPort = () => String((taken.address() as AddressInfo).port);

type Bad = string | (() => Readonly<Record<string, string>>);

/** Invalid values of every variable. */
const BAD: Readonly<Record<(typeof CONFIG_NAMES)[number], readonly Bad[]>> = {
  PORT: ['http', '-1', '65536', '80.5', () => ({ PORT: takenPort() })],
  HOST: ['no such host', '203.0.113.7'],
  SITES_FILE: [
    join(folder, 'missing.json'),
    folder,
    aFile,
    fileOf('other.json', `{"sites":[{"password":"${SECRET}"}]}`),
    fileOf('list.json', '[]'),
  ],
  DATABASE_URL: [
    'mysql://localhost/passerby',
    `postgres://us:${SECRET}@127.0.0.1:port/passerby`,
    `postgres://us:%ff${SECRET}@127.0.0.1/passerby`,
    `postgres://us:${SECRET}@127.0.0.1/passerby?sslmode=${SECRET}`,
    () => ({ DATABASE_URL: `postgres://us:${SECRET}@127.0.0.1:${free}/passerby` }),
    () => ({ DATABASE_URL: `postgres://us:${SECRET}@127.0.0.1:${free}/passerby?sslmode=require` }),
    () => ({ DATABASE_URL: `postgres://us:${SECRET}@127.0.0.1:${free}/passerby?sslrootcert=/none/${SECRET}` }),
    () => ({ DATABASE_URL: `postgres://us:${SECRET}@127.0.0.1:${takenPort()}/passerby` }),
    `postgres://us:${SECRET}@nowhere.invalid/passerby`,
  ],
  DATA_DIR: [
    '/proc/below',
    '/proc',
    '/sys/below',
    '/sys',
    '/dev/null/below',
    '/dev/full',
    aFile,
    join(aFile, 'below'),
    noDatabase,
    aPipe,
    'x'.repeat(5_000),
    'two\nlines',
  ],
  REDIS_URL: [
    'localhost:6379',
    `http://us:${SECRET}@127.0.0.1`,
    `redis://us:100%${SECRET}@127.0.0.1:6379`,
    `redis://us:${SECRET}@127.0.0.1:6379/abc`,
    `redis://us:${SECRET}@127.0.0.1:99999`,
    `rediss://us:${SECRET}@127.0.0.1:port`,
    `redis://us:${SECRET}@one,two`,
    `redis+cluster://us:${SECRET}@one:x,two:y`,
    `redis+cluster://us:%${SECRET}@one:6379`,
    `unix:///tmp/${SECRET}.sock`,
    `/tmp/${SECRET}.sock`,
    `redis+sentinel://us:${SECRET}@one:26379`,
    `redis+cluster://us:${SECRET}@one:6379/2`,
    () => ({ REDIS_URL: `redis://us:${SECRET}@127.0.0.1:${free}` }),
    () => ({ REDIS_URL: `redis+sentinel://us:${SECRET}@127.0.0.1:${free}/main` }),
    () => ({ REDIS_URL: `redis+cluster://us:${SECRET}@127.0.0.1:${free}` }),
    () => ({ REDIS_URL: `rediss://us:${SECRET}@127.0.0.1:${takenPort()}` }),
  ],
  TRUSTED_HOPS: ['many', '-1', '11', '1.5'],
  RATE_LIMIT_FACTOR: ['fast', '0', '1e9'],
  SHED_FROM_MS: ['soon', '1', '1000000'],
  PUBLIC_URL: ['chat.example.com', 'ftp://chat.example.com'],
  METRICS_PORT: [
    'http',
    '65536',
    () => ({ METRICS_PORT: takenPort() }),
    () => ({ PORT: String(free), METRICS_PORT: String(free) }),
  ],
  METRICS_HOST: [() => ({ METRICS_HOST: 'no such host', METRICS_PORT: '0', METRICS_TOKEN: 't'.repeat(16) })],
  METRICS_TOKEN: ['short', `${SECRET} ${SECRET}`, () => ({ METRICS_HOST: '0.0.0.0', METRICS_PORT: '0' })],
  OPERATOR_TOKEN: ['short', `${SECRET} ${SECRET}`],
  SECURITY_CONTACT: ['me', 'http://example.com'],
  LOG_LEVEL: ['loud'],
};

const ROWS = Object.entries(BAD).flatMap(([name, values]) =>
  values.map((bad, n) => ({ name, n, bad, env: () => (typeof bad === 'string' ? { [name]: bad } : bad()) })),
);

/** Variables that start-words.redis.test.ts covers in less time. */
const SAID_ELSEWHERE = 'REDIS_URL';

/**
 * Variables that are only found invalid when they are used; the others are read in one place, which has a test of its
 * own.
 */
const SAID_AT_USE: ReadonlySet<string> = new Set(['SITES_FILE', 'DATABASE_URL', 'DATA_DIR', 'REDIS_URL', 'HOST']);

/** Timeout of a start that hangs: long enough for a slow machine. Milliseconds. */
const PATIENCE_MS = 120_000;

/** Starts the service with every invalid value, or with one a variable and those that only show when it is used. */
export function describeStartErrors(which: 'all' | 'some'): void {
  const rows = ROWS.filter(
    ({ name, n, bad }) =>
      which === 'all' || (typeof bad !== 'string' && name !== SAID_ELSEWHERE) || (n === 0 && SAID_AT_USE.has(name)),
  );

  describe('a start with a bad variable', { timeout: PATIENCE_MS + 10_000 }, () => {
    it.each(rows)('ends with one line that names it: $name $n', async ({ name, env }) => {
      const { code, output } = await ServiceProcess.failToStart(env(), PATIENCE_MS);
      expect(output).toMatch(new RegExp(`^Passerby cannot start: [^\\n]*\\b${name}\\b[^\\n]+\\.\\n$`));
      expect(output).not.toContain(SECRET);
      // One that hung and was ended has none.
      expect(code).toBe(1);
    });

    it('says of several at once what is wrong with each', async () => {
      const { code, output } = await ServiceProcess.failToStart({ PORT: 'http', LOG_LEVEL: 'loud' }, PATIENCE_MS);
      expect(output).toMatch(/^Passerby cannot start: PORT must be [^\n]+; LOG_LEVEL must be [^\n]+\.\n$/);
      expect(code).toBe(1);
    });
  });
}
