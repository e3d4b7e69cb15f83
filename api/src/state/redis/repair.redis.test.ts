import { TIMES } from '@passerby/sdk/protocol';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FREE, requestId } from '../../../test/harness.ts';
import { FINGERPRINT } from '../../../test/fingerprints.ts';
import { RedisServer } from '../../../test/servers/redis-server.ts';
import { NODES, SITE } from '../../../test/store-contract.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../../matching/rules.ts';
import { ticketFrom } from '../../matching/ticket.ts';
import { randomIds } from '../../domain/id-source.ts';
import type { Notice } from '../../domain/notice.ts';
import type { SessionRef } from '../../domain/session.ts';
import { type KeyName, keyOf, KEYS, NODE_LEASE_MS } from './keys.ts';
import { RedisStore } from './redis-store.ts';

const [NODE, OTHER] = NODES as [(typeof NODES)[number], (typeof NODES)[number]];

/** Maximum number of entries of each kind that a call checks. */
const MAX = 100;

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
  await store.sweep(SITE, NODE, FREE, 50);
});

const keyNamed = (name: KeyName) => keyOf(name, SITE, '');
const lose = async (...names: KeyName[]) => void (await redis.del(...names.map(keyNamed)));
const open = async (node = NODE) => {
  const token = randomIds.resume();
  return { ...(await store.open(SITE, node, token, FINGERPRINT)).session, token };
};
const find = (session: SessionRef, rules: MatchRules = FREE, criteria = {}) =>
  store.find(session, ticketFrom({ requestId: requestId(), ...criteria }), rules);
const pair = async () => {
  const [a, b] = [await open(), await open()];
  await find(a);
  const id = idIn((await find(b)).notices);
  for (const side of [a, b]) await store.confirm(side, id);
  return { a, b, id };
};
const idIn = (notices: readonly Notice[]) => {
  const started = notices.find(({ kind }) => kind === 'started');
  return started?.kind === 'started' ? started.seat.conversationId : expect.unreachable();
};
const endsIn = (notices: readonly Notice[]) =>
  notices.flatMap((notice) => (notice.kind === 'ended' ? [[notice.to.sessionId, notice.reason]] : []));
const repair = async () => (await store.repair(SITE, NODE, MAX)).notices;
/** Does the work of the nodes in each second. */
const round = async (rules: MatchRules = FREE) => {
  for (const node of NODES) await store.heartbeat(SITE, node);
  return [...(await store.sweep(SITE, NODE, rules, 50)).notices, ...(await repair())];
};
const twoRounds = async (rules?: MatchRules) => [...(await round(rules)), ...(await round(rules))];

describe('repair of a site', () => {
  it('changes nothing without a loss', async () => {
    const { a } = await pair();
    await find(await open(), FREE, { seeks: ['nobody'] });
    await store.suspend(a);
    const contents = async () =>
      Promise.all(
        (Object.keys(KEYS) as KeyName[])
          .filter((name) => !['op', 'counters', 'sweeper'].includes(name))
          .map(async (name) => [name, (await redis.dumpBuffer(keyNamed(name)))?.toString('hex')]),
      );
    const before = await contents();
    expect([...(await repair()), ...(await repair())]).toEqual([]);
    expect(await contents()).toEqual(before);
  });

  it('runs on the node that holds the sweep lease only', async () => {
    await open(OTHER);
    await lose('placed');
    await store.repair(SITE, OTHER, MAX);
    expect(await store.online(SITE)).toBe(0);
    await store.repair(SITE, NODE, MAX);
    expect(await store.online(SITE)).toBe(1);
  });

  it('costs a node without the lease one check, as a sweep does, and writes nothing', async () => {
    await find(await open());
    await lose('placed');
    // The texts of both are there from now on.
    await Promise.all([store.sweep(SITE, OTHER, FREE, 50), store.repair(SITE, OTHER, MAX)]);
    const before = await Promise.all((await redis.keys('*')).sort().map((key) => redis.dumpBuffer(key)));
    await redis.config('RESETSTAT');
    expect(await store.sweep(SITE, OTHER, FREE, 50)).toEqual({ notices: [], isMore: false, isElsewhere: true });
    expect(await store.repair(SITE, OTHER, MAX)).toMatchObject({ notices: [], isMore: false, isElsewhere: true });
    const called = [...(await redis.info('commandstats')).matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
    // Each asks for a kept answer, and for the lease.
    expect(called.flatMap(([, name, calls]) => (name!.includes('|') ? [] : [`${name} ${calls}`])).sort()).toEqual([
      'evalsha 2',
      'get 4',
    ]);
    expect(await Promise.all((await redis.keys('*')).sort().map((key) => redis.dumpBuffer(key)))).toEqual(before);
  });

  it('I10 ends conversations that lost their record, once for each side', async () => {
    const { a, b } = await pair();
    await lose('conversations');
    expect(endsIn(await twoRounds())).toEqual([
      [expect.anything(), 'service_reset'],
      [expect.anything(), 'service_reset'],
    ]);
    for (const side of [a, b]) expect((await find(side)).status).toMatch(/waiting|matched/);
  });

  it('I10 ends a conversation that lost one of its sessions, for the other', async () => {
    const { a, b } = await pair();
    await redis.hdel(keyNamed('sessions'), a.sessionId);
    expect(endsIn(await twoRounds())).toEqual([[b.sessionId, 'service_reset']]);
    expect(await redis.hlen(keyNamed('conversations'))).toBe(0);
  });

  it('drops waits, entries of the index, tokens and placements of sessions that are gone', async () => {
    await find(await open());
    await lose('sessions');
    await twoRounds();
    for (const name of ['waits', 'index', 'tokens', 'placed', 'due'] as const) {
      expect([name, await redis.exists(keyNamed(name))]).toEqual([name, 0]);
    }
  });

  it('returns waiting visitors to the queue, and matches them', async () => {
    await find(await open());
    await lose('index');
    await find(await open());
    expect((await twoRounds()).map(({ kind }) => kind)).toEqual(['started', 'started']);
  });

  it('L1 matches waiting visitors at a step whose due time was lost', async () => {
    const rules = { ...DEFAULT_MATCH_RULES, isLanguageHard: false };
    await find(await open(), rules, { topic: '/a' });
    await find(await open(), rules, { topic: '/b' });
    await lose('due');
    await round(rules);
    skewMs += rules.expansions.at(-1)!.afterMs;
    expect((await twoRounds(rules)).map(({ kind }) => kind)).toEqual(['started', 'started']);
  });

  it('lets a match lapse that was lost from the pending ones', async () => {
    const [a, b] = [await open(), await open()];
    await find(a);
    await store.confirm(a, idIn((await find(b)).notices));
    await lose('pendingMatches');
    await round();
    skewMs += FREE.confirmMs;
    expect(endsIn(await round())).toContainEqual([a.sessionId, 'unconfirmed']);
  });

  it('I13 counts connected sessions again', async () => {
    await pair();
    await lose('placed');
    await round();
    expect(await store.online(SITE)).toBe(2);
  });

  it('lists absent visitors again, so that they are lost after the grace period', async () => {
    const { a, b } = await pair();
    await store.suspend(a);
    await lose('away');
    await round();
    skewMs += TIMES.graceMs;
    expect(endsIn(await twoRounds())).toContainEqual([b.sessionId, 'peer_lost']);
  });

  it('lists the node of a session again, so that it is found dead', async () => {
    await open(OTHER);
    await lose('nodes');
    await repair();
    skewMs += NODE_LEASE_MS;
    await store.sweep(SITE, NODE, FREE, 50);
    expect(await store.online(SITE)).toBe(0);
  });

  it('I11 restores the tokens of a session', async () => {
    const { token } = await open();
    await lose('tokens');
    await round();
    const outcome = await store.resume(SITE, NODE, token, randomIds.resume(), FREE, FINGERPRINT);
    expect(outcome.kind).toBe('resumed');
  });

  it('forgets parties whose end was lost, after their time', async () => {
    const { a, id } = await pair();
    await store.leave(a, id, null, FREE);
    await lose('over');
    await round();
    skewMs += TIMES.reportMs;
    await round();
    expect(await redis.hlen(keyNamed('parties'))).toBe(0);
  });

  it('returns the number of repaired entries, by kind', async () => {
    const { a } = await pair();
    await find(await open(), FREE, { seeks: ['nobody'] });
    await lose('placed', 'index');
    expect((await store.repair(SITE, NODE, MAX)).mended).toEqual({ sessions: 3, waits: expect.any(Number) });
    await redis.hdel(keyNamed('sessions'), a.sessionId);
    expect((await store.repair(SITE, NODE, MAX)).mended).toMatchObject({ placed: 1, tokens: 1, conversations: 1 });
    expect((await store.repair(SITE, NODE, MAX)).mended).toEqual({});
  });

  describe('mismatch of the counts', () => {
    /** Creates a site with entries of every kind. */
    const crowd = async () => {
      const { a } = await pair();
      const ended = await pair();
      await store.leave(ended.a, ended.id, null, FREE);
      await store.suspend(a);
      // More than are away: of those none is in the queue.
      for (let n = 0; n < 3; n++) await find(await open(), FREE, { seeks: ['nobody'] });
      const absent = await open();
      await find(absent, FREE, { seeks: ['nobody'] });
      await store.suspend(absent);
      const [one, other] = [await open(), await open()];
      await find(one);
      await store.confirm(one, idIn((await find(other)).notices));
    };
    const isAtOdds = async () => (await store.repair(SITE, NODE, 1)).areCountsAtOdds;

    it('is never reported without a loss', async () => {
      await crowd();
      expect(await isAtOdds()).toBe(false);
      for (const time of [FREE.confirmMs, TIMES.graceMs, TIMES.reportMs]) {
        skewMs += time;
        await round();
        expect([time, await isAtOdds()]).toEqual([time, false]);
      }
    });

    it.each([
      'sessions',
      'tokens',
      'placed',
      'nodes',
      'away',
      'waits',
      'index',
      'conversations',
      'parties',
      'over',
    ] as const)('is reported at once if %s is lost', async (name) => {
      await crowd();
      await lose(name);
      expect(await isAtOdds()).toBe(true);
    });

    it('is reported if one session is lost', async () => {
      await crowd();
      const [first] = await redis.hkeys(keyNamed('sessions'));
      await redis.hdel(keyNamed('sessions'), first!);
      expect(await isAtOdds()).toBe(true);
    });
  });

  it('examines few entries a call, also of hashes that Redis returns as a whole, and each in turn', async () => {
    const sessions = 300;
    for (let n = 0; n < sessions; n++) await open();
    const max = 20;
    await store.repair(SITE, NODE, max);
    await redis.config('RESETSTAT');
    await store.repair(SITE, NODE, max);
    const stats = [...(await redis.info('commandstats')).matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
    const commands = stats.reduce((sum, [, , calls]) => sum + Number(calls), 0);
    // Sessions, tokens and placements, at five commands each at most, and what each call costs anyway.
    expect(commands).toBeLessThan(3 * 5 * max + 60);
    // One of the first and one of the last, in whatever order they come.
    const tokens = await redis.hkeys(keyNamed('tokens'));
    await redis.hset(keyNamed('tokens'), 'r_dangling', 's_nobody');
    await redis.hdel(keyNamed('tokens'), tokens[0]!, tokens.at(-1)!);
    const mended = { sessions: 0, tokens: 0 };
    for (let calls = 0; calls < sessions / max + 2; calls++) {
      const outcome = await store.repair(SITE, NODE, max);
      mended.sessions += outcome.mended.sessions ?? 0;
      mended.tokens += outcome.mended.tokens ?? 0;
    }
    expect(mended).toEqual({ sessions: 2, tokens: 1 });
  });

  it('reaches every entry of a large site after as many calls as their number takes', async () => {
    for (let n = 0; n < 1_200; n++) await open();
    await lose('placed');
    let calls = 0;
    while ((await store.repair(SITE, NODE, MAX)).isMore) calls += 1;
    expect(await store.online(SITE)).toBe(1_200);
    // Each looks at a bounded part.
    expect(calls).toBeGreaterThan(5);
  });
});

describe('visitor who meets a lost entry', () => {
  it('leaves a conversation without a record, and both sides are told', async () => {
    const { a, b, id } = await pair();
    await lose('conversations');
    const { notices } = await store.leave(a, id, null, FREE);
    expect(endsIn(notices).map(([sessionId]) => sessionId)).toEqual([a.sessionId, b.sessionId]);
  });

  it('finds somebody behind stale entries of the index', async () => {
    for (let n = 0; n < 3 * FREE.scanMax; n++) await find(await open(), FREE, { seeks: ['nobody'] });
    await lose('waits');
    for (let n = 0; n < 2; n++) expect((await find(await open())).status).toBe('waiting');
    const told: Notice[] = [];
    for (let n = 0; n < 5; n++) told.push(...(await store.sweep(SITE, NODE, FREE, 50)).notices);
    expect(told.map(({ kind }) => kind)).toEqual(['started', 'started']);
  });

  it('L1 is matched with somebody whose node was not listed when both searched', async () => {
    const both = [await open(OTHER), await open(OTHER)];
    await lose('nodes');
    for (const session of both) expect((await find(session)).status).toBe('waiting');
    expect((await twoRounds()).map(({ kind }) => kind)).toEqual(['started', 'started']);
  });

  it('is not matched with a session that is gone', async () => {
    const gone = await open();
    await find(gone);
    await redis.hdel(keyNamed('sessions'), gone.sessionId);
    expect((await find(await open())).status).toBe('waiting');
    expect(await redis.hexists(keyNamed('waits'), gone.sessionId)).toBe(0);
  });

  it.each((Object.keys(KEYS) as KeyName[]).filter((name) => name !== 'op'))(
    'is served where %s holds what is not ours',
    async (name) => {
      const [a, b] = [await open(), await open()];
      await find(a);
      await lose(name);
      if (KEYS[name].holds.startsWith('string')) await redis.rpush(keyNamed(name), 'foreign');
      else await redis.set(keyNamed(name), 'foreign');
      await twoRounds();
      for (const session of [a, b]) await find(session).catch(() => undefined);
      const [c, d] = [await open(), await open()];
      for (const session of [c, d]) expect((await find(session)).status).toMatch(/waiting|matched/);
    },
  );
});
