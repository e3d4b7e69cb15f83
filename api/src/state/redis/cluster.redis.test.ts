import { describeKnownVisitors } from '../../../test/known-visitors-contract.ts';
import type { ConversationId } from '@passerby/sdk/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, Visitor } from '../../../test/harness.ts';
import { RedisCluster } from '../../../test/servers/redis-cluster.ts';
import { describeStore, NODES, SITE, type StoreUnderTest } from '../../../test/store-contract.ts';
import type { Parcel } from '../../cluster/node-link.ts';
import { RedisLink } from '../../cluster/redis-link.ts';
import { Tally } from '../../observability/tally.ts';
import { randomIds } from '../ids.ts';
import type { SessionId } from '../state-store.ts';
import { checkRedis, connectRedis, parseRedisUrl, type RedisClient } from './client.ts';
import { RedisStore } from './redis-store.ts';

let cluster: RedisCluster;
let redis: RedisClient;
beforeAll(async () => {
  cluster = await RedisCluster.start();
  redis = connectRedis(parseRedisUrl(cluster.url), 'commands');
  await checkRedis(redis);
}, 30_000);
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

describe('the link between nodes on a Cluster', () => {
  test('carries parcels to whoever listens, whichever master it is connected to', async () => {
    const subscribers = NODES.map(() => connectRedis(parseRedisUrl(cluster.url), 'subscription'));
    const tally = new Tally();
    try {
      const got = new Map(NODES.map((node): [string, Parcel[]] => [node, []]));
      const links = subscribers.map((subscriber) => new RedisLink(redis, subscriber, tally));
      await Promise.all(
        NODES.map((node, index) => links[index]!.listen(node, (parcel) => got.get(node)!.push(parcel))),
      );
      const frame = {
        conversationId: `c_${'x'.repeat(22)}` as ConversationId,
        run: 'run' as never,
        seq: 1,
        ack: 0,
        body: { kind: 'text', text: 'hello' },
      };
      const parcels = Array.from({ length: 20 }, (_, n): Parcel => ({
        kind: 'frame',
        from: 's_a' as SessionId,
        to: 's_b' as SessionId,
        frame: { ...frame, seq: n + 1 },
      }));
      for (const parcel of parcels) for (const node of NODES) links[0]!.send(node, parcel);
      for (const node of NODES) await expect.poll(() => got.get(node)).toEqual(parcels);
      expect(tally.of('parcels_lost')).toBe(0);
    } finally {
      for (const subscriber of subscribers) subscriber.disconnect();
    }
  });

  test('two strangers on two nodes meet and talk', async () => {
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
