import { FINGERPRINT } from '../fingerprints.ts';
import { TIMES } from '@passerby/sdk/protocol';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ticketFrom } from '../../src/matching/ticket.ts';
import { randomIds } from '../../src/domain/id-source.ts';
import { NODE_LEASE_MS } from '../../src/state/redis/keys.ts';
import { RedisStore } from '../../src/state/redis/redis-store.ts';
import type { NodeId } from '../../src/domain/ids.ts';
import { FREE, requestId } from '../harness.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { NODES, SITE } from '../store-contract.ts';

const [living, dead] = NODES as [NodeId, NodeId];

describe('node whose lease lapsed', () => {
  let server: RedisServer;
  let redis: Redis;
  let store: RedisStore;
  let skewMs = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    await redis.flushall();
    skewMs = 0;
    store = new RedisStore(redis, randomIds, { skewMs: () => skewMs });
  });

  const open = async (node: NodeId) => (await store.open(SITE, node, randomIds.resume(), FINGERPRINT)).session;
  const find = (session: Awaited<ReturnType<typeof open>>) =>
    store.find(session, ticketFrom({ requestId: requestId() }), FREE);
  const sweep = async (max = 50) => (await store.sweep(SITE, living, FREE, max)).notices;
  const outlive = async (ms = NODE_LEASE_MS) => {
    skewMs += ms;
    await store.heartbeat(SITE, living);
  };

  test('L2 leaves peers who are told of the absence, and of the loss after the grace period', async () => {
    const [a, b] = [await open(dead), await open(living)];
    await find(a);
    const started = (await find(b)).notices.find(({ kind }) => kind === 'started');
    const conversationId = started?.kind === 'started' ? started.seat.conversationId : expect.unreachable();
    await store.confirm(a, conversationId);
    await store.confirm(b, conversationId);
    await outlive();
    expect(await sweep()).toMatchObject([{ kind: 'presence', presence: 'away', to: { sessionId: b.sessionId } }]);
    await outlive(TIMES.graceMs - 200);
    expect(await sweep()).toEqual([]);
    await outlive(200);
    expect(await sweep()).toContainEqual(
      expect.objectContaining({
        kind: 'ended',
        reason: 'peer_lost',
        to: { site: SITE, sessionId: b.sessionId, nodeId: living },
      }),
    );
    await expect(find(a)).rejects.toMatchObject({ code: 'session_gone' });
  });

  test('has its waiting visitors matched with nobody, before the sweep and after it', async () => {
    await find(await open(dead));
    await outlive();
    expect((await find(await open(living))).status).toBe('waiting');
    await sweep();
    expect((await find(await open(living))).status).toBe('matched');
  });

  test("has all its visitors marked absent after the necessary sweeps, and no other node's", async () => {
    for (let n = 0; n < 25; n++) await open(dead);
    for (let n = 0; n < 5; n++) await open(living);
    await outlive();
    for (const left of [20, 10, 5]) {
      await sweep(10);
      expect(await store.online(SITE)).toBe(left);
    }
  });
});
