import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { connectRedis } from '../../src/state/redis/redis-client.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { bulk, greet, ScriptedRedis } from '../servers/scripted-redis.ts';

/** Sentinel that names this master, or does not answer while it is frozen. */
class FakeSentinel {
  asked = 0;
  isFrozen = false;
  readonly server: ScriptedRedis;

  private constructor(server: ScriptedRedis) {
    this.server = server;
  }

  static async start(master: RedisServer): Promise<FakeSentinel> {
    const sentinel: FakeSentinel = new FakeSentinel(
      await ScriptedRedis.start(([name = '', word = '']) => {
        sentinel.asked++;
        if (sentinel.isFrozen) return null;
        if (name.toLowerCase() !== 'sentinel') return greet([name, word]);
        return word === 'sentinels' ? '*0\r\n' : `*2\r\n${bulk('127.0.0.1')}${bulk(String(master.port))}`;
      }),
    );
    return sentinel;
  }
}

describe('Sentinels', () => {
  let master: RedisServer;
  let sentinels: readonly FakeSentinel[];
  const connect = () => {
    const hosts = sentinels.map(({ server }) => `127.0.0.1:${server.port}`).join(',');
    return connectRedis(parseRedisUrl(`redis+sentinel://${hosts}/chat`), 'commands') as Redis;
  };
  beforeAll(async () => {
    master = await RedisServer.start();
    sentinels = [await FakeSentinel.start(master), await FakeSentinel.start(master)];
  });
  afterAll(async () => {
    for (const { server } of sentinels) await server[Symbol.asyncDispose]();
    await master.stop();
  });

  test('are skipped while frozen', async () => {
    const [frozen] = sentinels;
    frozen!.isFrozen = true;
    const client = connect();
    await once(client, 'ready');
    expect(frozen!.asked).toBeGreaterThan(0);
    expect(await client.ping()).toBe('PONG');
    frozen!.isFrozen = false;
    client.disconnect();
  });

  test('are queried again for a connection that was dropped during the query', async () => {
    for (const sentinel of sentinels) sentinel.isFrozen = true;
    const client = connect();
    await expect.poll(() => client.status).toBe('connecting');
    // ioredis gives up for good here.
    client.disconnect(true);
    await expect.poll(() => client.status, { timeout: 60_000, interval: 5 }).toBe('end');
    for (const sentinel of sentinels) sentinel.isFrozen = false;
    await once(client, 'ready');
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });
});
