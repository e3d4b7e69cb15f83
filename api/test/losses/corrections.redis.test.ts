import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import type { SessionId } from '../../src/domain/ids.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { keyOf, type KeyName } from '../../src/state/redis/keys.ts';
import { FREE, pairOf, SHOP, siteOf, startTestApp, until, Visitor } from '../harness.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { takeSnapshot } from './loss.ts';

let redis: Redis;
let server: RedisServer;
let app: App;
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
  const config = { HOST: '127.0.0.1', PORT: 0, REDIS_URL: parseRedisUrl(server.url) };
  app = await startTestApp({ config, siteList: [siteOf(SHOP.key, undefined, {}, FREE)], roundMs: 50 });
});
afterEach(() => app.stop());

const keyNamed = (name: KeyName) => keyOf(name, SHOP.id, '');
const disconnected = (visitor: Visitor) => new Promise((resolve) => visitor.socket.once('disconnect', resolve));
/** Searches until it is no longer refused, for a visitor in a conversation that the store went back to. */
const findsAtLast = async (visitor: Visitor) => {
  await expect.poll(async () => (await visitor.find()).ok).toBe(true);
};

describe('node whose store went back in time', () => {
  it('I10 does not restart a conversation that ended, and leaves it for both', async () => {
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    const goBack = await takeSnapshot(redis);
    await a.ask('conversation:leave', { conversationId });
    await b.next('conversation:ended');
    await goBack();
    await findsAtLast(a);
    await findsAtLast(b);
    for (const visitor of [a, b]) {
      await until(() => visitor.all('conversation:started').length === 2, 'both meet again');
      expect(visitor.all('conversation:started')[1]!.conversationId).not.toBe(conversationId);
      expect(visitor.all('conversation:ended')).toHaveLength(1);
    }
  });

  it('I10 does not return a reconnecting visitor to a conversation that ended', async () => {
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    const goBack = await takeSnapshot(redis);
    await a.ask('conversation:leave', { conversationId });
    await b.next('conversation:ended');
    b.socket.disconnect();
    await expect.poll(() => redis.zcard(keyNamed('away'))).toBe(1);
    await goBack();
    const { resume } = b.all('session:ready')[0]!;
    await using back = await Visitor.arrive(app, { auth: { resume } });
    expect(back.ready).toMatchObject({ recovered: true, state: { status: 'idle' } });
  });

  it('returns a reconnecting visitor to their conversation', async () => {
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    await expect.poll(() => redis.zcard(keyNamed('pendingMatches'))).toBe(0);
    const goBack = await takeSnapshot(redis);
    // A going and coming is told after the start.
    a.socket.disconnect();
    await b.next('conversation:peer');
    await goBack();
    b.socket.disconnect();
    await expect.poll(() => redis.zcard(keyNamed('away'))).toBeGreaterThan(0);
    const { resume } = b.all('session:ready')[0]!;
    await using back = await Visitor.arrive(app, { auth: { resume } });
    expect(back.ready).toMatchObject({ state: { status: 'chatting', conversation: { conversationId } } });
  });

  it('I10 returns a visitor whom the store takes for disconnected to their conversation', async () => {
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    const [readyOfA, readyOfB] = [a.all('session:ready')[0]!, b.all('session:ready')[0]!];
    await expect.poll(() => redis.zcard(keyNamed('pendingMatches'))).toBe(0);
    // A going and coming is told after the start.
    a.socket.disconnect();
    await b.next('conversation:peer');
    await using backA = await Visitor.arrive(app, { auth: { resume: readyOfA.resume } });
    await until(() => b.all('conversation:peer').length === 2, 'the peer is back');
    const gone = disconnected(b);
    // As a sweep does while the lease of this node has lapsed.
    for (const sessionId of (await redis.hkeys(keyNamed('sessions'))) as SessionId[]) {
      await app.store.suspend({ site: SHOP.id, sessionId, fence: 1 });
    }
    await gone;
    await using backB = await Visitor.arrive(app, { auth: { resume: readyOfB.resume } });
    expect(backB.ready).toMatchObject({ state: { status: 'chatting', conversation: { conversationId } } });
    expect(backA.all('conversation:ended')).toEqual([]);
  });

  it('I10 ends a conversation that the store lost with service_reset', async () => {
    const [a, b] = [await Visitor.arrive(app), await Visitor.arrive(app)];
    const goBack = await takeSnapshot(redis);
    await a.find();
    await b.find();
    const { conversationId } = await b.next('conversation:started');
    await a.next('conversation:started');
    await goBack();
    for (const visitor of [a, b]) {
      expect(await visitor.next('conversation:ended')).toEqual({ conversationId, reason: 'service_reset' });
      expect(visitor.socket.connected).toBe(true);
      visitor.socket.disconnect();
    }
  });

  it('I11 refuses a socket whose session has an older fence in the store, and ends its conversation', async () => {
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    const goBack = await takeSnapshot(redis);
    a.socket.disconnect();
    await using back = await Visitor.arrive(app, { auth: { resume: a.all('session:ready')[0]!.resume } });
    const gone = disconnected(back);
    await goBack();
    await gone;
    expect(back.all('session:refused')).toMatchObject([{ code: 'session_gone' }]);
    expect(await b.next('conversation:ended')).toMatchObject({ conversationId });
    await expect.poll(() => redis.hlen(keyNamed('sessions'))).toBe(1);
  });

  it('cancels a wait that the visitor had cancelled', async () => {
    await using a = await Visitor.arrive(app);
    await a.find();
    const goBack = await takeSnapshot(redis);
    await a.ask('match:cancel', {});
    await goBack();
    await expect.poll(() => redis.hlen(keyNamed('waits'))).toBe(0);
    expect(a.socket.connected).toBe(true);
  });
});

describe('node whose store has a lower revision than it told', () => {
  it('delivers later decisions', async () => {
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    // As under a clock that was years ahead.
    await redis.hset(keyNamed('counters'), 'revision', '8000000000000000');
    await a.ask('conversation:leave', { conversationId });
    await b.next('conversation:ended');
    await redis.del(keyNamed('counters'));
    await expect.poll(async () => Number(await redis.hget(keyNamed('counters'), 'revision'))).toBeGreaterThan(8e15);
    await a.find();
    await b.find();
    for (const visitor of [a, b]) {
      await until(() => visitor.all('conversation:started').length === 2, 'the next start is told');
    }
  });

  it('promises no start that is not delivered', async () => {
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    await redis.hset(keyNamed('counters'), 'revision', '8000000000000000');
    await a.ask('conversation:leave', { conversationId });
    await b.next('conversation:ended');
    await redis.del(keyNamed('counters'));
    for (const visitor of [a, b]) {
      const answer = await visitor.find();
      const isPromised = answer.ok && answer.data.status === 'matched';
      expect(visitor.all('conversation:started')).toHaveLength(isPromised ? 2 : 1);
    }
  });

  it('raises the revision at once if its counters are lost', async () => {
    // As on a site that has lived for long, counted from nothing.
    await redis.hset(keyNamed('counters'), 'revision', '1000000000');
    await using pair = await pairOf(app);
    const before = Number(await redis.hget(keyNamed('counters'), 'revision'));
    // The revision continues from the clock, in milliseconds: changes of the same one may be above it.
    await expect.poll(() => Date.now() * 1_000).toBeGreaterThan(before);
    await redis.del(keyNamed('counters'));
    const { a, b, conversationId } = pair;
    await a.ask('conversation:leave', { conversationId });
    expect(await b.next('conversation:ended')).toEqual({ conversationId, reason: 'peer_left' });
    expect(Number(await redis.hget(keyNamed('counters'), 'revision'))).toBeGreaterThan(before);
  });
});
