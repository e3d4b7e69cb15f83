import { describeKnownVisitors } from './known-visitors-contract.ts';
import { FINGERPRINT } from './fingerprints.ts';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisNodeBus } from '../src/cluster/redis-node-bus.ts';
import { Metrics } from '../src/observability/metrics.ts';
import { TAKE_TEXT } from '../src/rate-limiting/redis-counters.ts';
import { AGREE_TEXT } from '../src/privacy/salts.ts';
import { ticketFrom } from '../src/matching/ticket.ts';
import { randomIds } from '../src/domain/id-source.ts';
import { checkRedis } from '../src/state/redis/check-redis.ts';
import { parseRedisUrl } from '../src/state/redis/redis-address.ts';
import { connectRedis, type RedisClient } from '../src/state/redis/redis-client.ts';
import { keyOf } from '../src/state/redis/keys.ts';
import { calledCommands, missingRight, RIGHTS_KEY } from '../src/state/redis/script-rights.ts';
import { SCRIPTS } from '../src/state/redis/scripts.ts';
import { RedisStore } from '../src/state/redis/redis-store.ts';
import type { NodeId } from '../src/domain/ids.ts';
import { FREE, requestId, SHOP, startTestApp, Visitor } from './harness.ts';
import { aclCommands, aclRules, clusterRules } from './redis-doc.ts';
import { RedisServer } from './servers/redis-server.ts';
import { describeStore, NODES, SITE, type StoreUnderTest } from './store-contract.ts';

/** User of docs/redis.md on a real Redis; `extra` rules on top. */
async function withUser(
  server: RedisServer,
  extra: readonly string[] = [],
): Promise<{ admin: Redis; address: string }> {
  const admin = new Redis(server.url);
  const [name, ...rules] = aclRules();
  await admin.call('ACL', 'SETUSER', name!, ...rules, ...extra);
  const password = rules.find((rule) => rule.startsWith('>'))!.slice(1);
  return { admin, address: `${name}:${password}@127.0.0.1:${server.port}` };
}

let server: RedisServer;
let admin: Redis;
let client: RedisClient;
let url: string;
beforeAll(async () => {
  server = await RedisServer.start();
  const user = await withUser(server);
  admin = user.admin;
  url = `redis://${user.address}`;
  client = connectRedis(parseRedisUrl(url), 'commands');
  await checkRedis(client);
});
afterAll(async () => {
  client.disconnect();
  admin.disconnect();
  await server.stop();
});

const create = async (): Promise<StoreUnderTest> => {
  await admin.flushall();
  let skewMs = 0;
  const store = new RedisStore(client, randomIds, { skewMs: () => skewMs });
  return {
    store,
    advance: async (ms) => {
      skewMs += ms;
      for (const node of NODES) await store.heartbeat(SITE, node);
    },
    close: async () => undefined,
  };
};
describeStore('the Redis store under the user of docs/redis.md', create);
describeKnownVisitors('the Redis store under the user of docs/redis.md', create);

describe('ACL user of docs/redis.md', () => {
  test('may run exactly the commands that scripts call, each of which is required', async () => {
    const texts = [...Object.values(SCRIPTS).map(({ text }) => text), TAKE_TEXT, AGREE_TEXT];
    const commands = calledCommands(texts);
    await admin.flushall();
    expect(await missingRight(client, commands)).toBe(null);
    const errors = async () => /^total_error_replies:\d+/m.exec(await admin.info('stats'))?.[0];
    const before = await errors();
    expect(await missingRight(client, commands)).toBe(null);
    expect(await errors()).toBe(before);
    expect(await admin.exists(RIGHTS_KEY)).toBe(0);
    const missed: (string | null)[] = [];
    for (const command of commands) {
      await admin.call('ACL', 'SETUSER', aclRules()[0]!, `-${command}`);
      missed.push(await missingRight(client, commands));
      await admin.call('ACL', 'SETUSER', aclRules()[0]!, `+${command}`);
    }
    expect(missed).toEqual(commands);
    expect(commands.length).toBeGreaterThan(20);
    await admin.call('ACL', 'LOG', 'RESET');
  });

  test('is sufficient for a whole service: two strangers on two processes meet and talk', async () => {
    await using one = await startTestApp({ config: { HOST: '127.0.0.1', PORT: 0, REDIS_URL: parseRedisUrl(url) } });
    await using two = await startTestApp({ config: { HOST: '127.0.0.1', PORT: 0, REDIS_URL: parseRedisUrl(url) } });
    expect(one.storeName).toMatch(/^Redis \d+\./);
    const [a, b] = [await Visitor.arrive(one), await Visitor.arrive(two)];
    await a.find();
    await b.find();
    const { conversationId } = await a.next('conversation:started');
    await b.next('conversation:started');
    a.say(conversationId, 1, 'hello');
    expect(await b.next('conversation:frame')).toMatchObject({ body: { text: 'hello' } });
    const c = await Visitor.arrive(one);
    await c.find({ seeks: ['nobody'] });
    await c.next('match:status');
    for (const { socket } of [a, b, c]) socket.disconnect();
    expect(await admin.call('ACL', 'LOG')).toEqual([]);
  });

  test('S23 reaches nothing else: no other key or channel, and no command beyond the list', async () => {
    const redis = new Redis(url);
    for (const [command, ...args] of [
      ['GET', 'other:key'],
      ['SUBSCRIBE', 'other:channel'],
      ['FLUSHALL'],
      ['KEYS', '*'],
      ['CONFIG', 'GET', '*'],
      ['SCRIPT', 'FLUSH'],
    ]) {
      await expect(redis.call(command!, ...args), command).rejects.toThrow(/NOPERM/);
    }
    redis.disconnect();
  });

  test('may delete a key of a foreign type', async () => {
    await admin.flushall();
    const store = new RedisStore(client, randomIds);
    await admin.set(keyOf('index', SITE, ''), 'foreign');
    await admin.rpush(keyOf('counters', SITE, ''), 'foreign');
    const { session } = await store.open(SITE, NODES[0]!, randomIds.resume(), FINGERPRINT);
    expect((await store.find(session, ticketFrom({ requestId: requestId() }), FREE)).status).toBe('waiting');
  });

  test('has no unused command', async () => {
    // A subscription is asked whether it lives, now and then.
    const listening = connectRedis(parseRedisUrl(url), 'subscription');
    // The contract and the service above ran on this server: what they sent, or called in scripts, is counted.
    const neverSent = async () => {
      const info = String(await admin.info('commandstats'));
      const sent = new Set([...info.matchAll(/^cmdstat_(\S+?):calls=/gm)].map(([, name]) => name!));
      return aclCommands().filter((name) => !sent.has(name));
    };
    await expect.poll(neverSent).toEqual([]);
    listening.disconnect();
  });

  test('on a Cluster needs the additional commands of the page', async () => {
    await using cluster = await RedisServer.start(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
    const { admin, address } = await withUser(cluster, clusterRules());
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await expect.poll(() => admin.call('CLUSTER', 'INFO')).toContain('cluster_state:ok');
    const parsed = parseRedisUrl(`redis+cluster://${address}`);
    const [commands, subscriber] = [connectRedis(parsed, 'commands'), connectRedis(parsed, 'subscription')];
    await checkRedis(commands, {
      commands: calledCommands(Object.values(SCRIPTS).map(({ text }) => text)),
    });
    const bus = new RedisNodeBus(commands, subscriber, new Metrics());
    const received = new Promise(
      (resolve) => void bus.listen('n_1' as NodeId, resolve).then(() => bus.send('n_1' as NodeId, PARCEL)),
    );
    expect(await received).toEqual(PARCEL);
    const store = new RedisStore(commands, randomIds);
    await store.open(SHOP.id, NODES[0]!, randomIds.resume(), FINGERPRINT);
    expect(await store.online(SHOP.id)).toBe(1);
    expect(await admin.call('ACL', 'LOG')).toEqual([]);
    for (const redis of [admin, commands, subscriber]) redis.disconnect();
  });
});

const PARCEL = { kind: 'superseded', sessionId: 's_1234567890123456789012', fence: 2 } as never;
