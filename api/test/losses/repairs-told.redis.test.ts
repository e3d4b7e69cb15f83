import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { keyOf } from '../../src/state/redis/keys.ts';
import { listLog, pairOf, SHOP, startTestApp } from '../harness.ts';
import { RedisServer } from '../servers/redis-server.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };

describe('repair walk of a site', () => {
  let server: RedisServer;
  let redis: Redis;
  let app: App;
  const log = listLog();
  /** Entries of each kind requested, of every observed call. */
  const asked: string[] = [];
  let monitor: Redis;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
    monitor = await redis.duplicate().monitor();
    monitor.on('monitor', (_time: string, args: readonly string[]) => {
      if (args[0]?.toLowerCase() === 'hscan') asked.push(args.at(-1)!);
    });
    app = await startTestApp({ config: { REDIS_URL: parseRedisUrl(server.url) }, log });
  });
  afterAll(async () => {
    await app?.stop();
    monitor?.disconnect();
    redis?.disconnect();
    await server?.stop();
  });
  /** Ends every connection but those of the test: the monitor is one of type `normal` too. */
  const killClients = async () => {
    const own = String(await redis.client('ID'));
    for (const line of String(await redis.client('LIST'))
      .trimEnd()
      .split('\n')) {
      const { id, flags } = /^id=(?<id>\d+) .* flags=(?<flags>\S+)/.exec(line)!.groups!;
      if (id !== own && !flags!.includes('O')) await redis.client('KILL', 'ID', id!);
    }
  };
  const told = () => log.lines.filter(({ message }) => message === 'lost entries of the state store were repaired');
  const mended = async (kind: string) => {
    const [, count] =
      new RegExp(`passerby_repairs_total\\{kind="${kind}"\\} (\\d+)`).exec(await app.metrics.text()) ?? [];
    return Number(count);
  };

  test('is slow and reports nothing without a loss, and fast after a new connection', async () => {
    await using pair = await pairOf(app);
    expect(pair.conversationId).toBeDefined();
    asked.length = 0;
    await expect.poll(() => asked.length, PATIENCE).toBeGreaterThan(40);
    expect(new Set(asked)).toEqual(new Set(['20']));
    expect([await mended('sessions'), told()]).toEqual([0, []]);
    await killClients();
    await expect.poll(() => new Set(asked), PATIENCE).toContain('100');
  });

  test('reports the number of repairs in the log and the metrics', async () => {
    await using pair = await pairOf(app);
    expect(pair.conversationId).toBeDefined();
    await redis.del(keyOf('placed', SHOP.id, ''));
    await expect.poll(() => mended('sessions'), PATIENCE).toBeGreaterThanOrEqual(1);
    expect(told()[0]).toMatchObject({ level: 'warn', fields: { site: SHOP.id, count: expect.any(Number) } });
  });
});
