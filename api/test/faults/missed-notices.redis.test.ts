import { FINGERPRINT } from '../fingerprints.ts';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { ticketFrom } from '../../src/matching/ticket.ts';
import { randomIds } from '../../src/domain/id-source.ts';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { keyOf } from '../../src/state/redis/keys.ts';
import { RedisStore } from '../../src/state/redis/redis-store.ts';
import type { NodeId, SessionId } from '../../src/domain/ids.ts';
import type { SessionRef } from '../../src/domain/session.ts';
import { FREE, pairOf, requestId, SHOP, siteOf, startTestApp, Visitor } from '../harness.ts';
import { RedisServer } from '../servers/redis-server.ts';

/** Store whose decisions are told to nobody, as by a node that died between deciding and telling. */
let silent: RedisStore;
let redis: Redis;
let server: RedisServer;
let app: App;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url);
  silent = new RedisStore(redis, randomIds);
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

/** Visitor, and their session in the service. */
async function arrive(): Promise<{
  visitor: Awaited<ReturnType<typeof Visitor.arrive>>;
  session: SessionRef;
  nodeId: NodeId;
}> {
  const members = async () => await redis.zrange(keyOf('placed', SHOP.id, ''), '0', '-1');
  const before = await members();
  const visitor = await Visitor.arrive(app);
  const [nodeId, sessionId] = (await members()).find((member) => !before.includes(member))!.split('\0') as [
    NodeId,
    SessionId,
  ];
  return { visitor, session: { site: SHOP.id, sessionId, fence: 1 }, nodeId };
}

const disconnected = (visitor: Visitor) => new Promise((resolve) => visitor.socket.once('disconnect', resolve));

describe('reconciliation of a node with the store', () => {
  test('I10 tells a missed end, once, with its reason', async () => {
    await using pair = await pairOf(app);
    await silent.end(SHOP.id, pair.conversationId, 'idle');
    for (const visitor of [pair.a, pair.b]) {
      expect(await visitor.next('conversation:ended')).toEqual({ conversationId: pair.conversationId, reason: 'idle' });
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([pair.a.all('conversation:ended'), pair.b.all('conversation:ended')].map(({ length }) => length)).toEqual([
      1, 1,
    ]);
  });

  test('I2 tells a missed start to both, who confirm it', async () => {
    const { visitor: a } = await arrive();
    const { visitor: b, session } = await arrive();
    await a.find();
    await silent.find(session, ticketFrom({ requestId: requestId() }), FREE);
    const [one, two] = [await a.next('conversation:started'), await b.next('conversation:started')];
    expect(one.conversationId).toBe(two.conversationId);
    await expect.poll(() => redis.zcard(keyOf('pendingMatches', SHOP.id, ''))).toBe(0);
    a.say(one.conversationId, 1, 'hello');
    expect(await b.next('conversation:frame')).toMatchObject({ body: { text: 'hello' } });
    a.socket.disconnect();
    b.socket.disconnect();
  });

  test('sends an answer that promises a start after that start, even if it was missed', async () => {
    const { visitor: a } = await arrive();
    const { visitor: b, session } = await arrive();
    await a.find();
    const ask = { requestId: requestId() };
    await silent.find(session, ticketFrom(ask), FREE);
    expect(await b.ask('match:find', ask)).toEqual({ ok: true, data: { status: 'matched' } });
    expect(b.all('conversation:started')).toHaveLength(1);
    a.socket.disconnect();
    b.socket.disconnect();
  });

  test('I1 ends the conversation of a missed skip before the next one starts', async () => {
    await using pair = await pairOf(app);
    const { visitor: third } = await arrive();
    await third.find();
    const sessions = (await redis.hkeys(keyOf('sessions', SHOP.id, ''))) as SessionId[];
    for (const sessionId of sessions) {
      // Whoever an earlier turn has matched anew is refused, and for that alone.
      await silent
        .leave(
          { site: SHOP.id, sessionId, fence: 1 },
          pair.conversationId,
          ticketFrom({ requestId: requestId() }),
          FREE,
        )
        .catch((refusal: unknown) => expect(refusal).toMatchObject({ code: 'already_in_conversation' }));
    }
    for (const visitor of [pair.a, pair.b]) {
      await expect.poll(() => visitor.all('conversation:ended').length).toBe(1);
      const told = visitor.told.map(({ name }) => name).filter((name) => name.startsWith('conversation:'));
      expect(told.slice(0, 2)).toEqual(['conversation:started', 'conversation:ended']);
    }
    third.socket.disconnect();
  });

  test('I10 tells a visitor who leaves a conversation that the peer has left the end before the answer', async () => {
    const [{ visitor: a, session }, { visitor: b }] = [await arrive(), await arrive()];
    await a.find();
    await b.find();
    const { conversationId } = await b.next('conversation:started');
    await silent.leave(session, conversationId, null, FREE);
    const ended = b.ask('conversation:leave', { conversationId }).then(() => b.all('conversation:ended').length);
    expect(await ended).toBe(1);
    a.socket.disconnect();
    b.socket.disconnect();
  });

  test('reconnects a visitor who was told to wait and is not in the queue', async () => {
    const { visitor: a, session } = await arrive();
    await a.find();
    const gone = disconnected(a);
    await silent.cancel(session);
    await gone;
    await using back = await Visitor.arrive(app, { auth: { resume: a.ready.resume } });
    expect(back.ready).toMatchObject({ recovered: true, state: { status: 'idle' } });
  });

  test('returns a visitor who was marked disconnected to their conversation', async () => {
    const { visitor: a, session } = await arrive();
    const { visitor: b } = await arrive();
    await a.find();
    await b.find();
    const { conversationId } = await a.next('conversation:started');
    const gone = disconnected(a);
    await silent.suspend(session);
    await gone;
    await using back = await Visitor.arrive(app, { auth: { resume: a.ready.resume } });
    expect(back.ready).toMatchObject({
      recovered: true,
      state: { status: 'chatting', conversation: { conversationId } },
    });
    b.socket.disconnect();
  });

  test('I11 tells and closes a socket whose session moved elsewhere', async () => {
    const { visitor: a } = await arrive();
    const gone = disconnected(a);
    await silent.resume(SHOP.id, 'n_elsewhere' as NodeId, a.ready.resume, randomIds.resume(), FREE, FINGERPRINT);
    await gone;
    expect(a.all('session:superseded')).toHaveLength(1);
  });

  test('ends conversations with service_reset and refuses sessions if all state is lost', async () => {
    await using pair = await pairOf(app);
    const gone = disconnected(pair.a);
    await redis.flushall();
    await gone;
    expect(pair.a.all('conversation:ended')).toEqual([
      { conversationId: pair.conversationId, reason: 'service_reset' },
    ]);
    expect(pair.a.all('session:refused')).toMatchObject([{ code: 'session_gone' }]);
  });

  test('I13 corrects a session without a socket that counts as connected', async () => {
    const { visitor: a, nodeId } = await arrive();
    await silent.open(SHOP.id, nodeId, randomIds.resume(), FINGERPRINT);
    expect(await silent.online(SHOP.id)).toBe(2);
    await expect.poll(() => silent.online(SHOP.id)).toBe(1);
    expect(a.socket.connected).toBe(true);
    a.socket.disconnect();
  });
});
