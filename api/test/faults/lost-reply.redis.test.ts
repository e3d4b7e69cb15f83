import type { Readiness } from '@passerby/sdk/protocol';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { redisBackend } from '../../src/redis-backend.ts';
import { RedisCounters } from '../../src/rate-limiting/redis-counters.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { Salts, sharedSalts } from '../../src/privacy/salts.ts';
import { randomIds } from '../../src/domain/id-source.ts';
import { checkRedis } from '../../src/state/redis/check-redis.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { connectRedis, type RedisClient } from '../../src/state/redis/redis-client.ts';
import { RedisStore } from '../../src/state/redis/redis-store.ts';
import { assertTalking, listLog, pairOf, SHOP, siteOf, startTestApp, Visitor } from '../harness.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };
/** Pause between two uses of a connection. Shorter than any recovery takes. Milliseconds. */
const PAUSE_MS = 10;
/** Number of successful uses in a row after which a connection counts as healthy. */
const WELL_AFTER = 20;

let server: RedisServer;
let admin: Redis;
let proxy: TcpProxy;
beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.url);
  proxy = await TcpProxy.start(server.port);
});
afterAll(async () => {
  admin.disconnect();
  await proxy.stop();
  await server.stop();
});

const address = () => parseRedisUrl(`redis://127.0.0.1:${proxy.port}`);
async function connection(): Promise<RedisClient> {
  const client = connectRedis(address(), 'commands');
  onTestFinished(() => client.disconnect());
  await checkRedis(client);
  return client;
}

/** Component that reads replies on a connection to Redis. */
interface User {
  readonly name: string;
  /** Resolves with a use of the connection, which returns whether its answer was right, and text of a reply to one. */
  readonly start: () => Promise<{ readonly use: () => Promise<boolean>; readonly words: string }>;
}

const USERS: readonly User[] = [
  {
    name: 'the store',
    start: async () => {
      const store = new RedisStore(await connection(), randomIds, { retryMs: 0 });
      return { use: async () => (await store.online(SHOP.id)) === 0, words: 'counted' };
    },
  },
  {
    name: 'the heartbeat',
    start: async () => {
      const backend = await redisBackend(address(), new Metrics(), listLog());
      onTestFinished(() => backend.close());
      const node = randomIds.node();
      return { use: () => backend.store.heartbeat(SHOP.id, node).then(() => true), words: 'done' };
    },
  },
  {
    name: 'the counters of limits',
    start: async () => {
      const metrics = new Metrics();
      const counters = new RedisCounters(await connection(), () => Math.round(performance.now()), metrics);
      let uses = 0;
      // A window of its own tells the answer to one use from that to another.
      const use = async () => {
        const windowMs = 1_000_000 + ++uses;
        const before = metrics.countOf('passerby_incidents_total', { kind: 'limit_without_redis' });
        const counts = [{ key: `passerby:limit:{none}:${windowMs}`, quota: { points: 5, windowMs } }];
        expect(await counters.consume(counts)).toEqual({ full: null, counts: [{ used: 1, resetMs: windowMs }] });
        return metrics.countOf('passerby_incidents_total', { kind: 'limit_without_redis' }) === before;
      };
      return { use, words: ':1000005\r\n' };
    },
  },
  {
    name: 'the salts',
    start: async () => {
      const now = Date.UTC(2026, 10, 22, 12);
      const salts = new Salts(() => now, sharedSalts(await connection()));
      await salts.refresh();
      const [today, yesterday] = salts.known();
      const use = async () => {
        const refreshed = await salts.refresh().then(
          () => true,
          () => false,
        );
        expect(salts.known()).toEqual([today, yesterday]);
        return refreshed;
      };
      return { use, words: today };
    },
  },
];

describe('connection that loses one reply and continues', () => {
  it.each(USERS)('is made anew by $name, which believes no answer to another command', async ({ start }) => {
    const { use, words } = await start();
    expect(await use()).toBe(true);
    const loss = proxy.loseReply(words);
    const outcomes: boolean[] = [];
    const wrong: unknown[] = [];
    const note = (thrown: unknown) => {
      if (thrown instanceof Error && thrown.name === 'AssertionError') wrong.push(thrown);
      outcomes.push(false);
    };
    const uses = setInterval(() => void use().then((isRight) => outcomes.push(isRight), note), PAUSE_MS);
    try {
      const line = await loss;
      outcomes.length = 0;
      await expect.poll(() => outcomes.slice(-WELL_AFTER).filter(Boolean).length, PATIENCE).toBe(WELL_AFTER);
      expect(outcomes).toContain(false);
      expect(proxy.lines).not.toContain(line);
      expect(wrong).toEqual([]);
    } finally {
      clearInterval(uses);
    }
  });
});

describe('a service that loses one reply of Redis', () => {
  // With one site no lease is renewed while the lost reply is waited for, and the connection is given up for that.
  const siteList = [SHOP, siteOf('pk_test_garden'), siteOf('pk_test_harbour')];
  const salt = async () => (await admin.get(`passerby:salt:${new Date().toISOString().slice(0, 10)}`))!;
  const nextSweep = () => new Promise<void>((resolve) => proxy.whenPassing('swept', 'all', () => resolve()));

  it.each([
    ['a sweep', async () => 'swept'],
    // The only one of the scripts with this answer that runs while visitors are quiet.
    ['the renewal of a lease', async () => 'done'],
    ['the count of a limit', async () => ':60000\r\n'],
    ['the question for a salt', salt],
  ])('recovers readiness, sweeps and matching: the reply to %s', async (asked, wordsOf) => {
    await admin.flushall();
    await using app = await startTestApp({ config: { REDIS_URL: address() }, siteList, roundMs: 50 });
    await using quiet = new AsyncDisposableStack();
    for (const { key } of siteList) quiet.use(await Visitor.arrive(app, { site: key }));
    await nextSweep();
    await nextSweep();
    const before = await salt();
    const loss = proxy.loseReply(await wordsOf());
    if (asked === 'the count of a limit') {
      await admin.del(...(await admin.keys('passerby:limit:*')));
      quiet.use(new Visitor(app));
    }
    const line = await loss;
    await expect.poll(() => proxy.lines.includes(line), PATIENCE).toBe(false);
    await nextSweep();
    const meet = async () => {
      await using pair = await pairOf(app);
      await assertTalking(pair, 1);
      return true;
    };
    await expect.poll(() => meet().catch(() => false), PATIENCE).toBe(true);
    const standing = async () => (await (await fetch(`${app.url}/readyz`)).json()) as Readiness;
    await expect.poll(standing, PATIENCE).toEqual({ status: 'ready', reasons: [] });
    expect(await salt()).toBe(before);
  });
});
