import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aclRules } from '../redis-doc.ts';
import { lineOfStart } from '../line-of-start.ts';
import { ServiceProcess } from '../../../.config/test/service-process.ts';
import { freePort, RedisServer } from '../servers/redis-server.ts';

/** Password that must not be printed. */
const SECRET = 'kept-to-ourselves';
/** Timeout of a start that hangs: long enough for a slow machine. Milliseconds. */
const PATIENCE_MS = 60_000;

let plain: RedisServer;
let locked: RedisServer;
let clustered: RedisServer;
let nobody: number;
beforeAll(async () => {
  plain = await RedisServer.start();
  locked = await RedisServer.start(['--requirepass', SECRET]);
  clustered = await RedisServer.start(['--cluster-enabled', 'yes']);
  nobody = await freePort();
});
afterAll(async () => {
  for (const server of [plain, locked, clustered]) await server?.stop();
});

const at = (server: RedisServer) => `127.0.0.1:${server.port}`;

type Row = readonly [how: string, url: () => string, words: RegExp];

/** Starts that fail on the connection itself, or whose client would print something: run as processes. */
const AS_PROCESSES: readonly Row[] = [
  ['has another password', () => `redis://:not-${SECRET}@${at(locked)}`, /is refused.+ \(WRONGPASS\)/],
  ['asks a plain port for TLS', () => `rediss://${at(plain)}`, /does not speak TLS/],
  ['takes a server for a Sentinel', () => `redis+sentinel://${at(plain)}/main`, /Sentinels.+ \(NO_MASTER\)/],
  [
    'names a Cluster that is not there',
    () => `redis+cluster://127.0.0.1:${nobody}`,
    /nodes of its Cluster answers; start them/,
  ],
];
const IN_THIS_ONE: readonly Row[] = [
  ['has no password', () => `redis://${at(locked)}`, /wants a password; write redis:.+ \(NOAUTH\)/],
  ['asks a plain Cluster for TLS', () => `rediss+cluster://${at(clustered)}`, /does not speak TLS/],
  ['names Sentinels that are not there', () => `redis+sentinel://127.0.0.1:${nobody}/main`, /Sentinels.+start them/],
  ['takes a server for a Cluster', () => `redis+cluster://${at(plain)}`, /no node of a Cluster; write redis:/],
  ['has no password for a Cluster', () => `redis+cluster://${at(locked)}`, /wants a password.+ \(NOAUTH\)/],
  ['names a Cluster without slots', () => `redis+cluster://${at(clustered)}`, /see CLUSTER INFO \(CLUSTERDOWN\)/],
];

function expectOneLine(output: string, words: RegExp): void {
  expect(output).toMatch(/^Passerby cannot start: REDIS_URL: [^\n]+\.\n$/);
  expect(output).toMatch(words);
  expect(output).not.toContain(SECRET);
}

describe.concurrent('start with an unusable REDIS_URL', { timeout: PATIENCE_MS + 10_000 }, () => {
  test.each(AS_PROCESSES)('fails with one line if it %s', async (_, url, words) => {
    const { code, output } = await ServiceProcess.failToStart({ REDIS_URL: url(), LOG_LEVEL: 'silent' }, PATIENCE_MS);
    expectOneLine(output, words);
    expect(code).toBe(1);
  });

  test.each(IN_THIS_ONE)('says so in one line where it %s', async (_, url, words) => {
    expectOneLine(await lineOfStart(url()), words);
  });
});

describe('output of the Redis client', { timeout: PATIENCE_MS }, () => {
  test('becomes a line of the log: a permission that is missing after a reconnect', async () => {
    const admin = new Redis(plain.url);
    const [name, ...rules] = aclRules();
    await admin.call('ACL', 'SETUSER', name!, ...rules);
    const password = rules.find((rule) => rule.startsWith('>'))!.slice(1);
    const REDIS_URL = `redis://${name}:${password}@${at(plain)}`;
    await using other = await ServiceProcess.start({ REDIS_URL, LOG_LEVEL: 'warn' });
    await admin.call('ACL', 'SETUSER', name!, '-info');
    await admin.call('CLIENT', 'KILL', 'USER', name!);
    await expect.poll(() => other.output.includes('may not run INFO')).toBe(true);
    const lines = other.output.trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('Passerby is at ') && !line.startsWith('{'))).toEqual([]);
    admin.disconnect();
  });
});
