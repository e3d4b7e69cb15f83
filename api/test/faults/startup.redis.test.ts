import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { aclRules } from '../redis-doc.ts';
import { startFakeRedis } from '../servers/fake-redis.ts';
import { lineOfStart } from '../line-of-start.ts';
import { ServiceProcess } from '../../../.config/test/service-process.ts';
import { freePort, RedisServer } from '../servers/redis-server.ts';

/** Password that must not be printed. */
const SECRET = 'kept-to-ourselves';

describe('start with REDIS_URL', () => {
  test('refuses a Redis below 7 with one line', async () => {
    await using old = await startFakeRedis('6.2.0');
    const { code, output } = await ServiceProcess.failToStart({ REDIS_URL: old.url });
    expect(output).toBe('Passerby cannot start: Redis 6.2.0 is too old: 7 or newer is needed.\n');
    expect(code).toBe(1);
  });

  test('reports an unreachable Redis with one line, without the password', async () => {
    const { code, output } = await ServiceProcess.failToStart({
      REDIS_URL: `redis://us:${SECRET}@127.0.0.1:${await freePort()}`,
    });
    expect(output).toMatch(/^Passerby cannot start: REDIS_URL: nothing listens at .+ \(ECONNREFUSED\)\.\n$/);
    expect(output).not.toContain(SECRET);
    expect(code).toBe(1);
  });

  test('logs the version of Redis, and accepts the password of an ACL user', async () => {
    await using server = await RedisServer.start();
    const admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'passerby', 'on', `>${SECRET}`, '~passerby:*', '&passerby:*', '+@all');
    await admin.call('ACL', 'SETUSER', 'default', 'off');
    admin.disconnect();
    const address = `127.0.0.1:${server.port}`;
    await using node = await ServiceProcess.start({ REDIS_URL: `redis://passerby:${SECRET}@${address}` });
    expect(node.output).toMatch(/store: Redis \d+\.\d+\.\d+/);
    expect(await (await fetch(`${node.url}/healthz`)).json()).toMatchObject({ status: 'ok', store: 'redis' });
    const { code, output } = await ServiceProcess.failToStart({
      REDIS_URL: `redis://passerby:not-${SECRET}@${address}`,
    });
    expect([code, output]).toEqual([1, expect.stringContaining('WRONGPASS')]);
    expect(node.output + output).not.toContain(SECRET);
  });

  test('accepts the default password', async () => {
    await using server = await RedisServer.start(['--requirepass', SECRET]);
    await using node = await ServiceProcess.start({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${server.port}` });
    expect(node.output).not.toContain(SECRET);
  });

  test('reports a database that cannot be selected, instead of using database 0', async () => {
    await using server = await RedisServer.start();
    const admin = new Redis(server.url);
    await admin.call(
      'ACL',
      'SETUSER',
      'passerby',
      'on',
      `>${SECRET}`,
      '~passerby:*',
      '&passerby:*',
      '+@all',
      '-select',
    );
    const address = `127.0.0.1:${server.port}`;
    const [missing, forbidden] = await Promise.all([
      ServiceProcess.failToStart({ REDIS_URL: `redis://${address}/99` }),
      ServiceProcess.failToStart({ REDIS_URL: `redis://passerby:${SECRET}@${address}/5` }),
    ]);
    expect(missing.output).toMatch(
      /^Passerby cannot start: the database 99 that REDIS_URL names cannot be chosen: ERR .+\.\n$/,
    );
    expect(forbidden.output).toMatch(
      /^Passerby cannot start: the database 5 that REDIS_URL names cannot be chosen: NOPERM .+\.\n$/,
    );
    expect([missing.code, forbidden.code]).toEqual([1, 1]);
    expect(forbidden.output).not.toContain(SECRET);
    expect(await admin.dbsize()).toBe(0);
    admin.disconnect();
  });

  test.each([
    ['zadd', 'may not run ZADD inside scripts (NOPERM): see docs/redis.md'],
    ['time', 'may not run TIME inside scripts (NOPERM): see docs/redis.md'],
    ['eval', 'lacks a right (NOPERM '],
    ['publish', 'may not publish (NOPERM): see docs/redis.md'],
    ['subscribe', 'may not subscribe (NOPERM): see docs/redis.md'],
  ])('reports a missing permission of the user of docs/redis.md: +%s', async (command, why) => {
    await using server = await RedisServer.start();
    const admin = new Redis(server.url);
    const [name, ...rules] = aclRules();
    await admin.call('ACL', 'SETUSER', name!, ...rules, `-${command}`);
    const password = rules.find((rule) => rule.startsWith('>'))!.slice(1);
    const line = await lineOfStart(`redis://${name}:${password}@127.0.0.1:${server.port}`);
    expect(line).toContain(`Passerby cannot start: the user of REDIS_URL ${why}`);
    expect(line.trimEnd().split('\n')).toHaveLength(1);
    // Nothing but the probe, which goes by itself, and the salts, with which nothing was salted.
    expect((await admin.keys('*')).filter((key) => !/^passerby:(probe|salt:.+)$/.test(key))).toEqual([]);
    admin.disconnect();
  });
});
