import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { TcpProxy } from '../../../test/faults/tcp-proxy.ts';
import { RedisServer } from '../../../test/servers/redis-server.ts';
import { checkRedis, probeRedis } from './check-redis.ts';
import { connectionFault } from './connection-fault.ts';
import { parseRedisUrl } from './redis-address.ts';
import { connectRedis, type RedisClient } from './redis-client.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };

describe('connection to Redis', () => {
  let server: RedisServer;
  let admin: Redis;
  let client: RedisClient;
  beforeEach(async () => {
    server = await RedisServer.start();
    admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'passerby', 'on', '>right', '~passerby:*', '&passerby:*', '+@all');
    client = connectRedis(parseRedisUrl(`redis://passerby:right@127.0.0.1:${server.port}/5`), 'commands');
    await checkRedis(client);
  });
  afterEach(async () => {
    client.disconnect();
    admin.disconnect();
    await server.stop();
  });
  const cut = () => admin.call('CLIENT', 'KILL', 'USER', 'passerby');
  const write = (value: string) => client.set('passerby:written', value).catch(() => null);

  it('accepts no commands after a reconnect if its database cannot be selected', async () => {
    await write('before');
    await admin.call('ACL', 'SETUSER', 'passerby', '-select');
    await cut();
    await expect.poll(() => connectionFault(client), PATIENCE).toBe('DATABASE');
    let attempts = 0;
    client.on('connecting', () => attempts++);
    await expect.poll(() => (void write('elsewhere'), attempts), PATIENCE).toBeGreaterThan(3);
    expect(await admin.dbsize()).toBe(0);
    await admin.call('ACL', 'SETUSER', 'passerby', '+select');
    await expect.poll(() => write('after'), PATIENCE).toBe('OK');
    expect(await admin.dbsize()).toBe(0);
  });

  it('is replaced if its server was demoted, and not for every refusal', async () => {
    let attempts = 0;
    client.on('connecting', () => attempts++);
    await admin.replicaof('127.0.0.1', '1');
    let refusals = 0;
    while (attempts === 0 || refusals < 50) {
      const message = await probeRedis(client).then(String, (error: Error) => error.message);
      if (message.startsWith('READONLY')) refusals++;
      else await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(attempts).toBeLessThan(refusals / 2);
    await admin.replicaof('NO', 'ONE');
    await expect.poll(() => probeRedis(client).catch(() => null), PATIENCE).toBe('OK');
  });

  it('fails the start with a message if its server accepts no writes', async () => {
    await admin.config('SET', 'maxmemory', '1');
    await expect(checkRedis(client, { withinMs: 100 })).rejects.toThrow(
      /^REDIS_URL: its server takes no writes, .+ \(OOM\)$/,
    );
  });

  it.each([
    ['comes too slowly', 100],
    ['is only late', 2_000],
  ])('with an answer that %s, and never ends, is replaced in the first case only', async (_, bytesPerSecond) => {
    await using proxy = await TcpProxy.start(server.port);
    const faults: string[] = [];
    const own = connectRedis(parseRedisUrl(`redis://127.0.0.1:${proxy.port}`), 'commands', {
      onFault: (fault) => faults.push(fault),
    });
    onTestFinished(() => own.disconnect());
    await checkRedis(own);
    const [line] = proxy.lines;
    line!.throttle(bytesPerSecond);
    const words = 'x'.repeat(1_000);
    await admin.set('long', words);
    const ask = () => own.get('long').catch((error: Error) => error.message);
    // More than it has time for, so that it is never silent.
    const first = await Promise.all(Array.from({ length: 10 }, ask));
    expect(first).toContain('Command timed out');
    expect(faults).toEqual(bytesPerSecond === 100 ? ['TIMEOUT'] : []);
    if (faults.length === 0) line!.throttle(1_000_000);
    await expect.poll(ask, PATIENCE).toBe(words);
    expect(proxy.lines.includes(line!)).toBe(faults.length === 0);
  });
});
