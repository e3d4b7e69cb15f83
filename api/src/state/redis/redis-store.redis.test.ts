import { describeKnownVisitors } from '../../../test/known-visitors-contract.ts';
import { FINGERPRINT } from '../../../test/fingerprints.ts';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FREE } from '../../../test/harness.ts';
import { RedisServer } from '../../../test/servers/redis-server.ts';
import { describeStore, NODES, SITE, type StoreUnderTest } from '../../../test/store-contract.ts';
import { ticketFrom } from '../../matching/ticket.ts';
import { randomIds } from '../../domain/id-source.ts';
import { NODE_LEASE_MS } from './keys.ts';
import { RedisStore } from './redis-store.ts';

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const create = async (): Promise<StoreUnderTest> => {
  await redis.flushall();
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
describeStore('the Redis store', create);
describeKnownVisitors('the Redis store', create);

describe('node without a heartbeat', () => {
  const [living, dead] = NODES as [(typeof NODES)[number], (typeof NODES)[number]];
  let store: RedisStore;
  let skewMs = 0;
  let count = 0;
  beforeEach(async () => {
    await redis.flushall();
    skewMs = 0;
    store = new RedisStore(redis, randomIds, { skewMs: () => skewMs });
  });
  const open = async (nodeId: (typeof NODES)[number]) =>
    (await store.open(SITE, nodeId, randomIds.resume(), FINGERPRINT)).session;
  const find = (session: Awaited<ReturnType<typeof open>>) =>
    store.find(session, ticketFrom({ requestId: `request-${++count}` as never }), FREE);
  const sweep = () => store.sweep(SITE, living, FREE, 50);
  /** Lets the lease of the dead node expire, and not that of the other one. */
  const outlive = async () => {
    skewMs += NODE_LEASE_MS;
    await store.heartbeat(SITE, living);
  };

  test('has visitors who are matched with nobody, and absent after a sweep', async () => {
    await find(await open(dead));
    await outlive();
    expect((await find(await open(living))).status).toBe('waiting');
    expect(await store.online(SITE)).toBe(2);
    await sweep();
    expect(await store.online(SITE)).toBe(1);
  });

  test('has visitors whose peers are told of the absence in one sweep', async () => {
    const [a, b] = [await open(dead), await open(living)];
    await find(a);
    const { notices } = await find(b);
    const { conversationId } = (notices[0] as Extract<(typeof notices)[number], { kind: 'started' }>).seat;
    await store.confirm(a, conversationId);
    await store.confirm(b, conversationId);
    await outlive();
    expect((await sweep()).notices).toMatchObject([
      { kind: 'presence', presence: 'away', to: { sessionId: b.sessionId } },
    ]);
    expect((await sweep()).notices).toEqual([]);
  });

  test('has a visitor whose lapsed match returns their place without another match', async () => {
    const [gone, silent] = [await open(dead), await open(living)];
    await find(gone);
    const { notices } = await find(silent);
    const { conversationId } = (notices[0] as Extract<(typeof notices)[number], { kind: 'started' }>).seat;
    await store.confirm(gone, conversationId);
    const other = await open(living);
    expect((await find(other)).status).toBe('waiting');
    await outlive();
    const swept = (await sweep()).notices;
    expect(swept.filter(({ kind }) => kind === 'started')).toEqual([]);
    expect(swept.filter(({ kind }) => kind === 'ended')).toHaveLength(2);
    expect((await store.survey(gone))!.waitedMs).toBeGreaterThanOrEqual(NODE_LEASE_MS);
  });
});
