import type { Readiness, StoreFault } from '@passerby/sdk/protocol';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { keyOf } from '../../src/state/redis/keys.ts';
import { FREE, listLog, pairOf, SHOP, siteOf, startTestApp, Visitor } from '../harness.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };

/** User of the service in this test, so that faults do not affect the test itself. */
const USER = ['passerby', 'on', '>right', '~passerby:*', '&passerby:*', '+@all'] as const;

interface Harm {
  readonly name: string;
  readonly fault: StoreFault;
  inflict(admin: Redis): Promise<unknown>;
  heal(admin: Redis): Promise<unknown>;
  /** Command in the log. */
  readonly named?: string;
}

const setUser = (admin: Redis, ...rules: readonly string[]) => admin.call('ACL', 'SETUSER', USER[0], ...rules);

const HARMS: readonly Harm[] = [
  {
    name: 'is full',
    fault: 'OOM',
    inflict: (admin) => admin.config('SET', 'maxmemory', '1'),
    heal: (admin) => admin.config('SET', 'maxmemory', '0'),
  },
  {
    name: 'is demoted to a replica',
    fault: 'READONLY',
    inflict: (admin) => admin.replicaof('127.0.0.1', '1'),
    heal: (admin) => admin.replicaof('NO', 'ONE'),
  },
  {
    name: 'grants too little',
    fault: 'NOPERM',
    inflict: (admin) => setUser(admin, '-@write', '-eval', '-evalsha'),
    heal: (admin) => setUser(admin, '+@all'),
  },
  {
    name: 'grants too little to scripts',
    fault: 'NOPERM',
    inflict: (admin) => setUser(admin, '-zadd'),
    heal: (admin) => setUser(admin, '+@all'),
  },
  // Nothing that is written every second needs these.
  ...['hget', 'hdel', 'zcard'].map((command) => ({
    name: `takes back the right to ${command}`,
    fault: 'NOPERM' as const,
    inflict: (admin: Redis) => setUser(admin, `-${command}`),
    heal: (admin: Redis) => setUser(admin, '+@all'),
    named: command.toUpperCase(),
  })),
  {
    name: 'runs no script it knows',
    fault: 'NOPERM',
    inflict: (admin) => setUser(admin, '-evalsha'),
    heal: (admin) => setUser(admin, '+@all'),
  },
  {
    name: 'has another password',
    fault: 'WRONGPASS',
    inflict: async (admin) => {
      await setUser(admin, 'resetpass', '>wrong');
      await admin.call('CLIENT', 'KILL', 'USER', USER[0]);
    },
    heal: (admin) => setUser(admin, 'resetpass', '>right'),
  },
];

describe('store that', () => {
  let server: RedisServer;
  let admin: Redis;
  let app: App;
  const log = listLog();
  beforeAll(async () => {
    server = await RedisServer.start();
    admin = new Redis(server.url);
    await setUser(admin, ...USER.slice(1));
    const REDIS_URL = parseRedisUrl(`redis://passerby:right@127.0.0.1:${server.port}`);
    app = await startTestApp({
      config: { REDIS_URL },
      siteList: [siteOf(SHOP.key, undefined, {}, FREE)],
      roundMs: 50,
      log,
    });
  });
  afterAll(async () => {
    await app?.stop();
    admin?.disconnect();
    await server?.stop();
  });
  afterEach(async () => {
    for (const harm of HARMS) await harm.heal(admin);
  });
  const standing = async () => (await (await fetch(`${app.url}/readyz`)).json()) as Readiness;
  const reasonsLogged = () => log.lines.map(({ fields }) => fields.reason);

  test.each(HARMS)('$name is said to by /readyz, the metrics and the log, and serves again: $fault', async (harm) => {
    log.lines.length = 0;
    await harm.inflict(admin);
    await expect.poll(standing, PATIENCE).toEqual({
      status: 'not_ready',
      reasons: ['store_unavailable'],
      storeFaults: [harm.fault],
    });
    expect(await app.metrics.text()).toContain(`passerby_store_fault{fault="${harm.fault}"} 1\n`);
    expect(reasonsLogged()).toContain(harm.fault);
    if (harm.named !== undefined) expect(log.lines.map(({ fields }) => fields.command)).toContain(harm.named);
    if (harm.named === undefined) {
      const refused = new Visitor(app);
      expect(await refused.next('session:refused')).toMatchObject({ code: 'unavailable' });
      refused.socket.disconnect();
    }
    await harm.heal(admin);
    await expect.poll(standing, PATIENCE).toEqual({ status: 'ready', reasons: [] });
    await using pair = await pairOf(app);
    expect(pair.conversationId).toBeDefined();
  });

  test.each([
    ['NO_PUBLISH', ['-publish']],
    ['NO_SUBSCRIBE', ['-subscribe']],
  ])('passes no messages between processes is reported by /readyz and the log: %s', async (fault, rules) => {
    log.lines.length = 0;
    await setUser(admin, ...rules);
    // What is subscribed already stays so.
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const silent = { status: 'not_ready', reasons: ['link_silent'], storeFaults: [fault] };
    await expect.poll(standing, PATIENCE).toEqual(silent);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(503);
    expect(await app.metrics.text()).toContain('passerby_not_ready{reason="link_silent"} 1\n');
    const told = () => log.lines.filter(({ message }) => /no messages arrive|arrive again/.test(message));
    expect(told()).toMatchObject([{ level: 'warn', fields: { reason: fault } }]);
    await setUser(admin, '+@all');
    await expect.poll(standing, PATIENCE).toEqual({ status: 'ready', reasons: [] });
    expect(told().map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  test('fails while visitors are connected is detected by their leases', async () => {
    await using pair = await pairOf(app);
    await admin.config('SET', 'maxmemory', '1');
    await expect.poll(standing, PATIENCE).toMatchObject({ status: 'not_ready', storeFaults: ['OOM'] });
    // Whoever leaves needs no memory.
    const { conversationId } = pair;
    expect(await pair.a.ask('conversation:leave', { conversationId })).toMatchObject({ ok: true });
    expect(await pair.a.find()).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    await admin.config('SET', 'maxmemory', '0');
    await expect.poll(standing, PATIENCE).toEqual({ status: 'ready', reasons: [] });
    expect(await pair.a.find()).toMatchObject({ ok: true });
  });

  test('evicts keys is reported at the start and after each reconnect', async () => {
    const told = () => log.lines.filter(({ message }) => message.includes('set its maxmemory-policy to noeviction'));
    log.lines.length = 0;
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await admin.config('SET', 'maxmemory', '1gb');
    await admin.call('CLIENT', 'KILL', 'USER', USER[0]);
    await expect.poll(() => told()[0], PATIENCE).toMatchObject({ level: 'warn', fields: { reason: 'ALLKEYS_LRU' } });
    log.lines.length = 0;
    await using other = await startTestApp({ config: { REDIS_URL: parseRedisUrl(server.url) }, log });
    expect(told()).toHaveLength(1);
    expect(other.storeName).toMatch(/^Redis/);
    // Without a bound it is never full.
    await admin.config('SET', 'maxmemory', '0');
    log.lines.length = 0;
    await using unbounded = await startTestApp({ config: { REDIS_URL: parseRedisUrl(server.url) }, log });
    expect([told(), unbounded.storeName]).toEqual([[], other.storeName]);
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
  });
});

describe('leases of a node', () => {
  test('are renewed while the connection of requests is stuck', async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    const admin = new Redis(server.url);
    const REDIS_URL = parseRedisUrl(`redis://127.0.0.1:${proxy.port}`);
    await using app = await startTestApp({ config: { REDIS_URL }, roundMs: 20 });
    await using visitor = await Visitor.arrive(app);
    expect(visitor.ready.recovered).toBe(false);
    const lines = proxy.lines.length;
    // What comes back to a sweep comes back on the connection that requests take.
    const isStuck = new Promise<void>((resolve) => {
      proxy.whenPassing('swept', 'all', (line) => {
        line.goSilent();
        resolve();
      });
    });
    await isStuck;
    const leases = new Set<string>();
    // Until the connection is given up for a new one.
    while (proxy.lines.length === lines && leases.size < 1_000) {
      leases.add(String(await admin.zrange(keyOf('nodes', SHOP.id, ''), '0', '-1', 'WITHSCORES')));
    }
    expect(leases.size).toBeGreaterThan(3);
    admin.disconnect();
  });
});
