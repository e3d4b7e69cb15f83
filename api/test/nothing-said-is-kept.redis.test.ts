import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FREE, ORIGIN, SHOP, until, Visitor } from './harness.ts';
import { NodeProcess } from './servers/node-process.ts';
import { RedisServer } from './servers/redis-server.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'passerby-kept-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A text that stands nowhere else: whoever holds it was told it. */
const canary = () => `canary-${randomUUID()}`;

/** Everything a Redis holds, its keys too, as one text. */
async function contentsOf(redis: Redis): Promise<string> {
  const parts: string[] = [];
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    const [command, ...rest] = READ_ALL[type] ?? [];
    if (command === undefined) throw new Error(`${key} is a ${type}`);
    parts.push(key, JSON.stringify(await redis.call(command, key, ...rest)));
  }
  return parts.join('\n');
}

const READ_ALL: Readonly<Record<string, readonly [string, ...string[]]>> = {
  string: ['GET'],
  hash: ['HGETALL'],
  list: ['LRANGE', '0', '-1'],
  zset: ['ZRANGE', '0', '-1'],
};

test('S19 what visitors say is in no log, no error and no store, and their tokens are in no log', async () => {
  const sitesFile = join(directory, 'sites.json');
  const sites = [{ key: SHOP.key, name: 'Shop', origins: [ORIGIN], match: FREE }];
  writeFileSync(sitesFile, JSON.stringify({ sites }));
  await using server = await RedisServer.start();
  const env = { REDIS_URL: server.url, SITES_FILE: sitesFile, LOG_LEVEL: 'info' };
  await using one = await NodeProcess.start(env);
  await using other = await NodeProcess.start(env);
  await using a = await Visitor.arrive(one);
  await using b = await Visitor.arrive(other);
  await a.find();
  await b.find();
  const { conversationId } = await a.next('conversation:started');
  await b.next('conversation:started');

  const said = { heard: canary(), tooLong: canary(), malformed: canary(), asked: canary(), unheard: canary() };
  a.say(conversationId, 1, said.heard);
  expect((await b.next('conversation:frame')).body).toMatchObject({ text: said.heard });
  a.say(conversationId, 2, said.tooLong.repeat(100));
  a.socket.emit('conversation:frame', { conversationId, said: said.malformed });
  expect(await a.send('match:find', { requestId: said.asked, junk: said.asked })).toMatchObject({ ok: false });
  b.cut();
  await a.next('conversation:peer');
  a.say(conversationId, 3, said.unheard);
  await using back = await Visitor.arrive(one, { auth: { resume: b.ready.resume } });
  expect(back.ready.recovered).toBe(true);

  // A store that fails is what most is logged about.
  const redis = new Redis(server.url);
  try {
    const contents = await contentsOf(redis);
    expect(contents).toContain(conversationId);
    for (const [what, text] of Object.entries(said)) expect(contents.includes(text), what).toBe(false);
    await redis.config('SET', 'maxmemory', '1');
    expect(await a.ask('match:cancel', {})).toMatchObject({ ok: false });
    await a.ask('conversation:leave', { conversationId });
  } finally {
    redis.disconnect();
  }
  await until(() => one.output.includes('round failed'), 'the node complains');
  const printed = one.output + other.output;
  const unprinted = { ...said, first: a.ready.resume, used: b.ready.resume, last: back.ready.resume };
  for (const [what, text] of Object.entries(unprinted)) expect(printed.includes(text), what).toBe(false);
});
