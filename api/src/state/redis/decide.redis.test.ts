import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisServer } from '../../../test/servers/redis-server.ts';
import { bySeniority, choose } from '../../matching/choose.ts';
import { distance, isAllowed, isNearEnough } from '../../matching/distance.ts';
import { nextDueAt, stepAt } from '../../matching/expansions.ts';
import { type Expansion, type MatchRules, REACHES } from '../../matching/rules.ts';
import { lookupsOf, tagsOf, type Ticket, ticketFrom } from '../../matching/ticket.ts';
import { WaitingQueue, type WaitingVisitor } from '../memory/waiting-queue.ts';
import type { SessionId, SiteId } from '../../domain/ids.ts';
import { BLOCK_MS } from '../survey.ts';
import { defineScript, libraryText } from './script.ts';

const RUNS = process.env['PASSERBY_DEEP'] === '1' ? 3_000 : 300;
const SITE = 'site_site' as SiteId;
const NOW = 1_700_000_000_000;
const NODE = 'n_1';
const seed = process.env['PASSERBY_SEED'];
const profile = (numRuns: number) => ({ numRuns, ...(seed !== undefined && { seed: Number(seed) }) });

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

const HEAD = (args: string) => `-- PURPOSE  asks the library
-- MODE     read
-- KEYS     sessions waits index due blocks meetings nodes
-- ARGV     ${args}
-- RETURNS  told answers
-- COST     O(1)
`;

/** Runs Lua with the library in scope, with a clock that stands at `skewMs`. */
function probe(args: string, body: string) {
  const library = libraryText().replace(/return time\[1\] \* 1000 .*/, 'return tonumber(A.skewMs)');
  const script = defineScript('probe', HEAD(args) + body, library);
  return async (given: Record<string, string | number>): Promise<any> => {
    const reply = await script.run(redis, { site: SITE, operation: 'probe', skewMs: NOW, args: given });
    return JSON.parse(String(reply.fields[0]));
  };
}

/** Words to generate tickets from: few, so that they often coincide; some are not ASCII, or share a prefix. */
const WORDS = ['a', 'b', 'jazz', 'jazz|q', 'ünï', '日本', '\u{1f600}', '\ud800x'];
const words = fc.subarray(WORDS, { maxLength: 5 });
const ticket: fc.Arbitrary<Ticket> = fc
  .record(
    {
      interests: words,
      languages: fc.subarray(['en', 'pt', 'de']),
      topic: fc.constantFrom('/a/1', '/a/2', '/b/1', '/c', 'https://x.example/a/1'),
      is: fc.constantFrom('x', 'y'),
      seeks: fc.subarray(['x', 'y', 'z'], { maxLength: 2 }),
      ageBand: fc.constantFrom('adult', 'minor'),
    },
    { requiredKeys: [] },
  )
  .map(({ ageBand, ...criteria }) => ticketFrom({ requestId: 'request' as never, ...criteria }, ageBand ?? null));

const expansions: fc.Arbitrary<readonly Expansion[]> = fc
  .array(
    fc.record({
      afterMs: fc.integer({ min: 1, max: 5_000 }),
      reach: fc.constantFrom(...REACHES),
      isInterestNeeded: fc.boolean(),
      isLanguageNeeded: fc.boolean(),
      isRepeatAllowed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((steps) => {
    let afterMs = 0;
    return steps.map((step, n) => ({ ...step, afterMs: n === 0 ? 0 : (afterMs += step.afterMs) }));
  });

const weight = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.double({ min: 0, max: 10, noNaN: true }));
const rules: fc.Arbitrary<MatchRules> = fc.record({
  weights: fc.record({ interest: weight, language: weight, topic: weight, waiting: weight }),
  expansions,
  isLanguageHard: fc.boolean(),
  scanMax: fc.integer({ min: 1, max: 60 }),
  perTagMax: fc.integer({ min: 1, max: 20 }),
  repeatMs: fc.constantFrom(1_000, 60_000),
  confirmMs: fc.constant(3_000),
});

/** Returns a ticket as the store sends it: fields absent instead of `null`. */
const plain = (value: Ticket) => Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));

describe('decision in Lua', () => {
  test('agrees on hard rules, nearness, distance to the last bit, step and due time', async () => {
    const ask = probe(
      'case',
      `local c = cjson.decode(A.case)
       local expansion = c.rules.expansions[1]
       local due = next_due_at(c.rules.expansions, c.since, c.at)
       return { 'told', cjson.encode({
         is_allowed(c.a, c.b, c.rules), is_near_enough(c.a, c.b, expansion, c.isRepeat),
         string.format('%.17g', distance(c.a, c.b, c.rules.weights, c.waitedMs)),
         step_at(c.rules.expansions, c.waitedMs) - 1, due and string.format('%.0f', due) or 'none',
       }) }`,
    );
    const moment = fc.integer({ min: 0, max: 30_000 });
    await fc.assert(
      fc.asyncProperty(
        ticket,
        ticket,
        rules,
        moment,
        moment,
        fc.boolean(),
        async (a, b, set, waitedMs, ago, isRepeat) => {
          const since = NOW - ago;
          const told = await ask({
            case: JSON.stringify({ a: plain(a), b: plain(b), rules: set, waitedMs, since, at: NOW, isRepeat }),
          });
          const [areAllowed, areNear, apart, step, due] = told;
          const ours = distance(a, b, set.weights, waitedMs);
          expect([areAllowed, areNear, Number(apart), step, due]).toEqual([
            isAllowed(a, b, set),
            isNearEnough(a, b, set.expansions[0]!, isRepeat),
            // Lua's zero has a sign where ours has none, and both are the same distance.
            ours === 0 ? Number(apart) : ours,
            stepAt(set.expansions, waitedMs),
            String(nextDueAt(set.expansions, since, NOW) ?? 'none'),
          ]);
          if (ours === 0) expect(Number(apart) === 0).toBe(true);
        },
      ),
      profile(RUNS),
    );
  });

  test('begins a step at its exact millisecond', async () => {
    const ask = probe(
      'case',
      `local c = cjson.decode(A.case) return { 'told', cjson.encode({ step_at(c.expansions, c.waitedMs) - 1 }) }`,
    );
    await fc.assert(
      fc.asyncProperty(expansions, fc.nat(4), fc.integer({ min: -1, max: 1 }), async (steps, index, off) => {
        const waitedMs = Math.max(0, steps[index % steps.length]!.afterMs + off);
        expect((await ask({ case: JSON.stringify({ expansions: steps, waitedMs }) }))[0]).toBe(stepAt(steps, waitedMs));
      }),
      profile(200),
    );
  });

  /** Generates a visitor in the queue, their history with the seed, and whether their node is alive. */
  const waiter = fc.record({
    ticket,
    ago: fc.integer({ min: 0, max: 20_000 }),
    history: fc.constantFrom('none', 'none', 'none', 'blocked', 'met', 'blocked long ago', 'met long ago'),
  });

  const FILL = `
    local c = cjson.decode(A.case)
    for _, w in ipairs(c.queue) do
      write_session(w.id, { nodeId = '${NODE}', awaySince = 0, conversationId = '' })
      w.wait.nodeId = '${NODE}'
      write_wait(w.id, w.wait)
      list_tags(w.id, w.wait)
      if w.blockedAt then redis.call('ZADD', K.blocks, w.blockedAt, pair_key('s_seed', w.id)) end
      if w.metAt then redis.call('ZADD', K.meetings, w.metAt, pair_key('s_seed', w.id)) end
    end
    redis.call('ZADD', K.nodes, now() + 1, '${NODE}')
    local seed = c.seed
    seed.nodeId = '${NODE}'
    write_wait('s_seed', seed)
    enqueue('s_seed', seed, c.rules, now())
    local ids = candidate_ids('s_seed', seed, c.rules)
    return { 'told', cjson.encode({ choose_peer('s_seed', seed, c.rules, now()) or 'nobody', table.concat(ids, ' ') }) }`;

  async function compareChoices(
    ask: ReturnType<typeof probe>,
    seedTicket: Ticket,
    population: readonly { ticket: Ticket; ago: number; history: string }[],
    set: MatchRules,
  ): Promise<void> {
    await redis.flushdb();
    const seedWait: WaitingVisitor = {
      ticket: seedTicket,
      since: NOW,
      seq: population.length + 1,
      sessionId: 's_seed' as SessionId,
    };
    const waits = population.map((one, n) => ({
      ...one,
      since: NOW - one.ago,
      seq: n + 1,
      sessionId: `s_${n}` as SessionId,
    }));
    const queue = new WaitingQueue();
    for (const wait of [...waits].sort(bySeniority)) queue.add(wait);
    queue.add(seedWait);
    const candidates = queue.candidates(seedWait, set) as readonly (typeof waits)[number][];
    const chosen = choose(seedWait, candidates, set, NOW, ({ history }) => ({
      isBlocked: history === 'blocked',
      isRepeat: history === 'met',
    }));
    const waitOf = ({ since, seq, ticket }: WaitingVisitor) => ({
      since,
      seq,
      ticket: plain(ticket),
      tags: tagsOf(ticket),
      lookups: lookupsOf(ticket),
    });
    const memories = {
      blocked: { blockedAt: NOW - BLOCK_MS + 1 },
      met: { metAt: NOW - set.repeatMs + 1 },
      'blocked long ago': { blockedAt: NOW - BLOCK_MS },
      'met long ago': { metAt: NOW - set.repeatMs },
    };
    const told = await ask({
      blockMs: BLOCK_MS,
      case: JSON.stringify({
        rules: set,
        seed: waitOf(seedWait),
        queue: waits.map((wait) => ({
          id: wait.sessionId,
          wait: waitOf(wait),
          ...memories[wait.history as keyof typeof memories],
        })),
      }),
    });
    expect(told).toEqual([chosen?.sessionId ?? 'nobody', candidates.map(({ sessionId }) => sessionId).join(' ')]);
    expect(candidates.length).toBeLessThanOrEqual(set.scanMax);
  }

  test('examines the same candidates in the same order, and chooses the same one', async () => {
    const ask = probe('case blockMs', FILL);
    await fc.assert(
      fc.asyncProperty(ticket, fc.array(waiter, { maxLength: 25 }), rules, (one, population, set) =>
        compareChoices(ask, one, population, set),
      ),
      profile(RUNS),
    );
  });

  test('agrees if far more wait than are examined', async () => {
    const ask = probe('case blockMs', FILL);
    const crowd = fc.array(waiter, { minLength: 80, maxLength: 150, size: 'max' });
    await fc.assert(
      fc.asyncProperty(ticket, crowd, rules, (one, population, set) => compareChoices(ask, one, population, set)),
      profile(Math.ceil(RUNS / 12)),
    );
  });
});
