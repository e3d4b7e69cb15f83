import { describeKnownVisitors } from '../../../test/known-visitors-contract.ts';
import type { ConversationId, Readiness } from '@passerby/sdk/protocol';
import { Redis } from 'ioredis';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Restless } from '../../../test/faults/restless.ts';
import { FREE, SHOP, siteOf, startTestApp, Visitor } from '../../../test/harness.ts';
import { RedisCluster } from '../../../test/servers/redis-cluster.ts';
import { describeStore, NODES, SITE, type StoreUnderTest } from '../../../test/store-contract.ts';
import type { NodeMessage } from '../../cluster/node-bus.ts';
import { RedisNodeBus } from '../../cluster/redis-node-bus.ts';
import { formatBatch } from '../../cluster/node-message.ts';
import { Metrics } from '../../observability/metrics.ts';
import { randomIds } from '../../domain/id-source.ts';
import type { SessionId } from '../../domain/ids.ts';
import { checkRedis } from './check-redis.ts';
import { parseRedisUrl } from './redis-address.ts';
import { connectRedis, type RedisClient } from './redis-client.ts';
import { keyOf } from './keys.ts';
import { RedisStore } from './redis-store.ts';

let cluster: RedisCluster;
let redis: RedisClient;
beforeAll(async () => {
  cluster = await RedisCluster.start();
  redis = connectRedis(parseRedisUrl(cluster.url), 'commands');
  await checkRedis(redis);
});
afterAll(async () => {
  redis?.disconnect();
  await cluster?.stop();
});

const create = async (): Promise<StoreUnderTest> => {
  await cluster.flush();
  let skewMs = 0;
  const store = new RedisStore(redis, randomIds, { skewMs: () => skewMs });
  return {
    store,
    advance: async (ms) => {
      skewMs += ms;
      for (const node of NODES) await store.heartbeat(SITE, node);
    },
    close: async () => undefined,
  };
};
describeStore('the Redis store on a Cluster of three masters', create);
describeKnownVisitors('the Redis store on a Cluster of three masters', create);

describe('node bus on a Cluster', () => {
  test('delivers messages to any subscriber, whichever master it is connected to', async () => {
    const subscribers = NODES.map(() => connectRedis(parseRedisUrl(cluster.url), 'subscription'));
    const metrics = new Metrics();
    try {
      const got = new Map(NODES.map((node): [string, NodeMessage[]] => [node, []]));
      const links = subscribers.map((subscriber) => new RedisNodeBus(redis, subscriber, metrics));
      await Promise.all(
        NODES.map((node, index) => links[index]!.listen(node, (message) => got.get(node)!.push(message))),
      );
      const frame = {
        conversationId: `c_${'x'.repeat(22)}` as ConversationId,
        run: 'run' as never,
        seq: 1,
        ack: 0,
        body: { kind: 'text', text: 'hello' },
      };
      const messages = Array.from({ length: 20 }, (_, n): NodeMessage => ({
        kind: 'frame',
        from: 's_a' as SessionId,
        to: 's_b' as SessionId,
        frame: { ...frame, seq: n + 1 },
      }));
      for (const message of messages) for (const node of NODES) links[0]!.send(node, message);
      for (const node of NODES) await expect.poll(() => got.get(node)).toEqual(messages);
      expect(metrics.countOf('passerby_incidents_total', { kind: 'parcels_lost' })).toBe(0);
    } finally {
      for (const subscriber of subscribers) subscriber.disconnect();
    }
  });

  test('lets two strangers on two nodes meet and talk', async () => {
    const config = { HOST: '127.0.0.1', PORT: 0, REDIS_URL: parseRedisUrl(cluster.url) };
    await using one = await startTestApp({ config, roundMs: 100 });
    await using two = await startTestApp({ config, roundMs: 100 });
    await using a = await Visitor.arrive(one);
    await using b = await Visitor.arrive(two);
    await a.find();
    await b.find();
    const { conversationId } = await a.next('conversation:started');
    await b.next('conversation:started');
    a.say(conversationId, 1, 'hello');
    expect(await b.next('conversation:frame')).toMatchObject({ body: { text: 'hello' } });
    b.say(conversationId, 1, 'welcome');
    expect(await a.next('conversation:frame')).toMatchObject({ body: { text: 'welcome' } });
  });
});

describe('site whose slot migrates to another master', () => {
  test('ends no process, is reported by /readyz, and is served once it has moved', async () => {
    const config = { HOST: '127.0.0.1', PORT: 0, REDIS_URL: parseRedisUrl(cluster.url) };
    const siteList = [siteOf(SHOP.key, undefined, {}, FREE)];
    await using one = await startTestApp({ config, siteList, roundMs: 100 });
    await using two = await startTestApp({ config, siteList, roundMs: 100 });
    const crowd = new Restless([one, two], 12);
    const patience = { timeout: 60_000 };
    await expect.poll(() => crowd.unserved(crowd.searches.map(() => 0)), patience).toEqual([]);
    const standing = async () => (await (await fetch(`${one.url}/readyz`)).json()) as Readiness;
    // On the move a script finds some of its keys and not others, and is told to try again.
    await cluster.moveSlot(keyOf('sessions', SHOP.id, ''), async () => {
      await expect.poll(() => [...crowd.refusals], patience).toContain('unavailable');
      await expect.poll(standing, patience).toMatchObject({ status: 'not_ready', storeFaults: ['TRYAGAIN'] });
    });
    const moved = crowd.searches;
    await expect.poll(() => crowd.unserved(moved), patience).toEqual([]);
    await expect.poll(standing, patience).toMatchObject({ status: 'ready' });
    await crowd.stop();
    expect(crowd.violations).toEqual([]);
  });
});

describe('subscription on a Cluster', () => {
  test('moves to another master when its own freezes', async () => {
    const subscriber = connectRedis(parseRedisUrl(cluster.url), 'subscription');
    const bus = new RedisNodeBus(redis, subscriber, new Metrics());
    const received: NodeMessage[] = [];
    await bus.listen(NODES[0]!, (message) => received.push(message));
    const portOf = () => (subscriber as unknown as { stream: Socket }).stream.remotePort;
    const frozen = cluster.servers.find(({ port }) => port === portOf())!;
    frozen.signal('SIGSTOP');
    try {
      await expect.poll(() => subscriber.status === 'ready' && portOf()).not.toBe(frozen.port);
      const publisher = new Redis(cluster.servers.find((server) => server !== frozen)!.url);
      const sessionId = 's_1234567890123456789012' as SessionId;
      const text = formatBatch([{ kind: 'superseded', sessionId, fence: 2 }]);
      await expect
        .poll(
          async () => {
            await publisher.publish(`passerby:node:${NODES[0]}`, text);
            return received.length;
          },
          { timeout: 60_000 },
        )
        .toBeGreaterThan(0);
      publisher.disconnect();
    } finally {
      frozen.signal('SIGCONT');
      bus.close();
      subscriber.disconnect();
    }
  });
});
