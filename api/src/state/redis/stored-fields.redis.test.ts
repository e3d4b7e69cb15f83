import type { RequestId } from '@passerby/sdk/protocol';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FINGERPRINT } from '../../../test/fingerprints.ts';
import { FREE } from '../../../test/harness.ts';
import { RedisServer } from '../../../test/servers/redis-server.ts';
import { NODES, SITE } from '../../../test/store-contract.ts';
import { randomIds } from '../../domain/id-source.ts';
import type { SessionRef } from '../../domain/session.ts';
import { ticketFrom } from '../../matching/ticket.ts';
import { keyOf, type KeyName } from './keys.ts';
import { RedisStore } from './redis-store.ts';

const [NODE] = NODES as [(typeof NODES)[number]];

let server: RedisServer;
let redis: Redis;
let store: RedisStore;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url);
  store = new RedisStore(redis, randomIds);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => void (await redis.flushall()));

let count = 0;
const ticket = () => ticketFrom({ requestId: `request-${++count}` as RequestId });
const open = async () => (await store.open(SITE, NODE, randomIds.resume(), FINGERPRINT)).session;
const find = (session: SessionRef) => store.find(session, ticket(), FREE);

type StoredRecord = Readonly<Record<string, unknown>>;

/** Returns the only record of a key, under the names that Redis has. */
async function stored(key: KeyName, field?: string): Promise<StoredRecord> {
  const script = `
    local fields = redis.call('HKEYS', KEYS[1])
    return cjson.encode(cmsgpack.unpack(redis.call('HGET', KEYS[1], ARGV[1] ~= '' and ARGV[1] or fields[1])))`;
  return JSON.parse(String(await redis.eval(script, 1, keyOf(key, SITE, ''), field ?? ''))) as StoredRecord;
}

async function put(key: KeyName, field: string, record: StoredRecord): Promise<void> {
  const script = `redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack(cjson.decode(ARGV[2])))`;
  await redis.eval(script, 1, keyOf(key, SITE, ''), field, JSON.stringify(record));
}

const WAIT = ['d', 'g', 'k', 'n', 'q', 'r', 's', 'u'];

describe('records as they are stored', () => {
  it('have the field names by which the previous and the next version know them', async () => {
    const [a, b] = [await open(), await open()];
    await find(a);
    const names = async (key: KeyName, field?: string) => Object.keys(await stored(key, field)).sort();
    // `d` only while a step is to come.
    expect(await names('waits')).toEqual(WAIT.filter((name) => name !== 'd'));
    await find(b);
    expect(await names('sessions', a.sessionId)).toEqual([
      'a',
      'c',
      'e',
      'f',
      'k',
      'lc',
      'lp',
      'm',
      'n',
      'p',
      'ra',
      'rb',
      't',
    ]);
    expect(await names('conversations')).toEqual(['a', 'b', 'ca', 'cb', 'd', 'i', 'r', 't', 'wa', 'wb']);
    const { wa, wb } = await stored('conversations');
    for (const wait of [wa, wb]) expect(WAIT).toEqual(expect.arrayContaining(Object.keys(wait as object)));
    expect(await names('parties')).toEqual(['a', 'b', 'e', 'ka', 'kb', 'la', 'lb']);
    const { c: conversationId } = await stored('sessions', a.sessionId);
    for (const session of [a, b]) await store.confirm(session, conversationId as never);
    expect(await names('parties')).toEqual(['a', 'b', 'e', 'ka', 'kb', 'la', 'lb', 'y']);
    expect(await names('conversations')).toEqual(['a', 'b', 'ca', 'cb', 'd', 'i', 'r', 't']);
  });

  it('are read as a node of the previous version wrote them', async () => {
    const session = await open();
    const waiting = await open();
    await find(waiting);
    const { sessionId } = waiting;
    const wait = await stored('waits', sessionId);
    await put('waits', sessionId, { s: wait['s'], q: wait['q'], n: NODE, k: wait['k'], g: wait['g'], u: wait['u'] });
    expect(await find(session)).toMatchObject({ status: 'matched' });
  });

  it('keep the fields of a later version when they are changed', async () => {
    const session = await open();
    const before = await stored('sessions', session.sessionId);
    await put('sessions', session.sessionId, { ...before, mood: 'fine' });
    await store.agree(session, { rules: '1' });
    expect(await stored('sessions', session.sessionId)).toEqual({ ...before, ra: '1', mood: 'fine' });
  });

  it('give back the waits of a match that falls through, fields of a later version included', async () => {
    const [a, b] = [await open(), await open()];
    await find(a);
    await put('waits', a.sessionId, { ...(await stored('waits', a.sessionId)), mood: 'fine' });
    await find(b);
    const { c: conversationId } = await stored('sessions', a.sessionId);
    await store.confirm(a, conversationId as never);
    let skewMs = FREE.confirmMs;
    const later = new RedisStore(redis, randomIds, { skewMs: () => skewMs++ });
    await later.sweep(SITE, NODE, FREE, 10);
    expect(await stored('waits', a.sessionId)).toMatchObject({ n: NODE, mood: 'fine', s: expect.any(Number) });
  });
});
