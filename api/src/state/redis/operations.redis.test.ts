import type { SiteId } from '../../domain/ids.ts';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TIMES } from '@passerby/sdk/protocol';
import { FREE } from '../../../test/harness.ts';
import { RedisServer } from '../../../test/servers/redis-server.ts';
import { lookupsOf, tagsOf, ticketFrom } from '../../matching/ticket.ts';
import { BLOCK_MS } from '../survey.ts';
import { keyOf, NODE_LEASE_MS, SWEEP_LEASE_MS } from './keys.ts';
import type { ScriptReply } from './script.ts';
import { SCRIPT_NAMES, type ScriptName, SCRIPTS } from './scripts.ts';

const SITE = 'site_site' as SiteId;

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

type Args = Record<string, string | number>;
let operations = 0;
beforeEach(async () => {
  await redis.flushall();
  operations = 0;
});
const run = (
  name: ScriptName,
  args: Args,
  { operation = `o_${++operations}`, skewMs = 0 } = {},
): Promise<ScriptReply> => SCRIPTS[name].run(redis, { site: SITE, operation, skewMs, args });

const ticketText = (requestId: string) => {
  const ticket = ticketFrom({ requestId: requestId as never, interests: ['jazz'] });
  const given = Object.fromEntries(Object.entries(ticket).filter(([, value]) => value !== null));
  return JSON.stringify({ ticket: given, tags: tagsOf(ticket), lookups: lookupsOf(ticket) });
};
const deciding = (id: string) => ({ rules: JSON.stringify(FREE), freshIds: id, blockMs: BLOCK_MS });
const caller = (session: string, fence = 1) => ({ session, fence });
const open = (session: string) =>
  run('open', { session, node: 'n_1', token: `r_${session}`, fingerprint: '{}', nodeLeaseMs: NODE_LEASE_MS });
const RESUME: Args = {
  presented: 'r_a',
  token: 'r_next',
  fingerprint: '{}',
  node: 'n_2',
  nodeLeaseMs: NODE_LEASE_MS,
  graceMs: TIMES.graceMs,
  ...deciding('c_1'),
};
const find = (session: string, id = `c_${session}`) =>
  run('find', { ...caller(session), ticket: ticketText(`q_${session}`), ...deciding(id) });
/** Matches two visitors in `c_b`. */
const pair = async () => {
  await open('a');
  await open('b');
  await find('a');
  await find('b');
};

/** Returns everything in Redis but the stored replies. */
async function contents(): Promise<unknown> {
  const keys = (await redis.keys('*')).filter((key) => !key.includes(':op:')).sort();
  return Promise.all(keys.map(async (key) => [key, (await redis.dumpBuffer(key)).toString('hex')]));
}

/** Preparation and arguments of every script, so that it has something to do. */
const CALLS: Readonly<
  Record<ScriptName, { readonly before?: () => Promise<unknown>; readonly args: Args; readonly skewMs?: number }>
> = {
  open: { args: { session: 'a', node: 'n_1', token: 'r_a', fingerprint: '{}', nodeLeaseMs: NODE_LEASE_MS } },
  resume: { before: pair, args: RESUME },
  settle: { before: () => open('a').then(() => run('resume', RESUME)), args: caller('a', 2) },
  suspend: { before: pair, args: caller('a') },
  close: { before: pair, args: caller('a') },
  agree: { before: () => open('a'), args: { ...caller('a'), rules: '1', ageBand: '' } },
  find: {
    before: async () => {
      await open('a');
      await open('b');
      await find('a');
    },
    args: { ...caller('b'), ticket: ticketText('q_b'), ...deciding('c_1') },
  },
  cancel: {
    before: async () => {
      await open('a');
      await find('a');
    },
    args: caller('a'),
  },
  leave: {
    before: pair,
    args: { ...caller('a'), conversation: 'c_b', ticket: ticketText('q_2'), ...deciding('c_1') },
  },
  confirm: { before: pair, args: { ...caller('a'), conversation: 'c_b' } },
  block: { before: pair, args: { ...caller('a'), conversation: 'c_b' } },
  reported: { before: pair, args: { ...caller('a'), conversation: 'c_b', reportMs: TIMES.reportMs } },
  end: { before: pair, args: { conversation: 'c_b', reason: 'idle' } },
  sweep: {
    before: pair,
    skewMs: FREE.confirmMs,
    args: {
      node: 'n_1',
      sweepLeaseMs: SWEEP_LEASE_MS,
      graceMs: TIMES.graceMs,
      reportMs: TIMES.reportMs,
      max: 10,
      ...deciding('c_1'),
    },
  },
  heartbeat: { args: { node: 'n_1', nodeLeaseMs: NODE_LEASE_MS } },
  survey: {
    before: () => open('a').then(() => find('a')),
    args: { ...caller('a'), networksMax: 5, waitersMax: 50 },
  },
  online: { before: pair, args: {} },
  compare: { before: pair, args: { held: JSON.stringify([['a', 1, 'c_b', 'n_9', 'here', false, 0]]) } },
  placed: { before: pair, args: { node: 'n_1', after: '', max: 10 } },
  repair: {
    before: async () => {
      await pair();
      await redis.del(keyOf('pendingMatches', SITE, ''), keyOf('placed', SITE, ''), keyOf('tokens', SITE, ''));
    },
    args: { node: 'n_1', sweepLeaseMs: SWEEP_LEASE_MS, nodeLeaseMs: NODE_LEASE_MS, max: 10 },
  },
  'raise-revision': { before: pair, args: { told: 9_000_000_000_000_000 } },
  'drop-foreign': { before: () => pair().then(() => redis.set(keyOf('index', SITE, ''), 'foreign')), args: {} },
};
const WRITES = SCRIPT_NAMES.filter((name) => SCRIPTS[name].head.mode !== 'read');

describe('repeated operation', () => {
  test.each(WRITES)('gives the same reply without an effect: %s', async (name) => {
    const { before, args, skewMs = 0 } = CALLS[name];
    await before?.();
    const untouched = await contents();
    const first = await run(name, args, { operation: 'o_same', skewMs });
    const after = await contents();
    expect(after).not.toEqual(untouched);
    expect(await run(name, args, { operation: 'o_same', skewMs: skewMs + 5 })).toEqual(first);
    expect(await contents()).toEqual(after);
  });

  test.each(SCRIPT_NAMES.filter((name) => !WRITES.includes(name)))(
    'a reading script changes nothing at all: %s',
    async (name) => {
      const { before, args } = CALLS[name];
      await before?.();
      const untouched = await contents();
      await run(name, args);
      expect(await contents()).toEqual(untouched);
    },
  );

  test('keeps a refusal too', async () => {
    const refused = await run('cancel', caller('nobody'), { operation: 'o_same' });
    expect(refused).toMatchObject({ tag: 'refused', fields: ['session_gone'] });
    await open('nobody');
    expect(await run('cancel', caller('nobody'), { operation: 'o_same' })).toEqual(refused);
  });
});

test('each writing script raises the revision of its site, and no other does', async () => {
  for (const name of SCRIPT_NAMES) {
    await redis.flushall();
    const { before, args, skewMs = 0 } = CALLS[name];
    await before?.();
    const revision = Number((await redis.hget(keyOf('counters', SITE, ''), 'revision')) ?? 0);
    const reply = await run(name, args, { skewMs });
    const isWrite = WRITES.includes(name);
    const raised = Number((await redis.hget(keyOf('counters', SITE, ''), 'revision')) ?? 0);
    expect([name, reply.revision]).toEqual([name, isWrite ? raised : 0]);
    expect([name, raised > revision]).toEqual([name, isWrite]);
  }
});

test('a script that Redis has lost is sent again, and runs once', async () => {
  await open('a');
  await redis.script('FLUSH');
  expect((await find('a')).fields).toEqual(['waiting']);
  await redis.script('FLUSH');
  expect((await run('cancel', caller('a'))).fields).toEqual(['cancelled']);
  expect((await run('online', {})).fields).toEqual([1]);
});

test('a reply of another operation is rejected', async () => {
  const silent = { evalsha: async () => ['o_other', 1, ['done'], []], eval: async () => null };
  const call = { site: SITE, operation: 'o_mine', skewMs: 0, args: { node: 'n_1', nodeLeaseMs: 1 } };
  await expect(SCRIPTS['heartbeat'].run(silent, call)).rejects.toThrow('of another operation');
});

test('a missing argument is named before anything is sent', async () => {
  await expect(run('find', caller('a'))).rejects.toThrow('find needs the argument "ticket"');
});
