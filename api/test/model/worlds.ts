import type { SiteId } from '../../src/domain/ids.ts';
import type { Redis } from 'ioredis';
import { MemoryStore } from '../../src/state/memory/memory-store.ts';
import { type KeyName, keyOf } from '../../src/state/redis/keys.ts';
import { RedisStore } from '../../src/state/redis/redis-store.ts';
import type { ScriptRunner } from '../../src/state/redis/cached-script.ts';
import { defineScript, libraryText, readLua } from '../../src/state/redis/script.ts';
import { SCRIPT_NAMES, type ScriptName, type SCRIPTS } from '../../src/state/redis/scripts.ts';
import { countedIds, EPOCH, type Inspection, type World } from './world.ts';

/** Clock that stands until it is advanced. */
function standingClock() {
  let now = EPOCH;
  return { now: () => now, advance: (ms: number) => void (now += ms) };
}

/** Store in memory; `Store` is a broken one where the checks themselves are tested. */
export function memoryWorld(Store = MemoryStore): World {
  const clock = standingClock();
  const store = new Store(clock.now, countedIds());
  return { ...clock, store, inspect: async () => null, sizes: () => store.sizes(), hasLeases: false };
}

/** Change of the text of the library or of one script. */
export type Alter = (text: string, name: 'library' | ScriptName) => string;

const CLOCK_LINE = /return time\[1\] \* 1000 .*/;

/** Scripts with a clock under the test's control, and other changes. */
export function standingScripts(alter: Alter = (text) => text): typeof SCRIPTS {
  const library = alter(libraryText(), 'library');
  if (!CLOCK_LINE.test(library)) throw new Error('records.lua tells the time in another way now');
  const standing = library.replace(CLOCK_LINE, 'return tonumber(A.skewMs)');
  return Object.fromEntries(
    SCRIPT_NAMES.map((name) => [name, defineScript(name, alter(readLua(name), name), standing)]),
  ) as typeof SCRIPTS;
}

/** Loses every reply but the last: each script runs twice under the same operation id. */
export function losingReplies(runner: ScriptRunner): ScriptRunner {
  return {
    evalsha: async (...call) => {
      const [, second] = await Promise.all([runner.evalsha(...call), runner.evalsha(...call)]);
      return second;
    },
    eval: async (...call) => {
      const [, second] = await Promise.all([runner.eval(...call), runner.eval(...call)]);
      return second;
    },
  };
}

/** Store on an empty Redis. */
export async function redisWorld(redis: Redis, scripts: typeof SCRIPTS, areRepliesLost = false): Promise<World> {
  await redis.flushdb();
  const clock = standingClock();
  const runner = areRepliesLost ? losingReplies(redis) : redis;
  const store = new RedisStore(runner, countedIds(), { skewMs: clock.now, scripts });
  return { ...clock, store, inspect: (site) => inspectRedis(redis, site), sizes: () => null, hasLeases: true };
}

const INSPECTED = [
  'sessions',
  'tokens',
  'placed',
  'away',
  'waits',
  'index',
  'due',
  'conversations',
  'pendingMatches',
] as const satisfies KeyName[];

/** Reads the keys themselves, without code of the library. */
const INSPECT = `
  local K = { ${INSPECTED.map((name, index) => `${name} = KEYS[${index + 1}]`).join(', ')} }
  local function records(key, see)
    local all, flat = {}, redis.call('HGETALL', key)
    for position = 1, #flat, 2 do all[#all + 1] = { flat[position], see(cmsgpack.unpack(flat[position + 1])) } end
    return all
  end
  local members = function(key) return redis.call('ZRANGE', key, 0, -1) end
  return cjson.encode({
    sessions = records(K.sessions, function(s) return { conversationId = s.c, fence = s.f, isAway = s.a > 0, nodeId = s.n } end),
    conversations = records(K.conversations, function(c) return { c.a, c.b } end),
    unconfirmed = records(K.conversations, function(c) return c.d > 0 end),
    waits = records(K.waits, function(w) return { since = w.s, seq = w.q, nodeId = w.n, tags = #w.g } end),
    index = members(K.index), due = members(K.due), pendingMatches = members(K.pendingMatches),
    placed = members(K.placed), away = members(K.away), tokens = redis.call('HGETALL', K.tokens),
  })
`;

/** Start time and number, between a tag and a session in the index. */
const STAMP_LENGTH = 25;

/** Keys of one site as they are; also of a Redis that a service uses meanwhile. */
export async function inspectRedis(redis: Redis, site: SiteId): Promise<Inspection> {
  const keys = INSPECTED.map((name) => keyOf(name, site, ''));
  const read = JSON.parse(String(await redis.eval(INSPECT, keys.length, ...keys)));
  // An empty table of Lua is an object in JSON. `any`, since each list holds something else, as INSPECT above wrote it.
  const list = (value: unknown): any[] => (Array.isArray(value) ? value : []);
  const index = list(read.index).map((member: string) => member.split('\0') as [string, string]);
  const inQueue = index.filter(([tag]) => tag.endsWith('|q')).map(([, rest]) => rest.slice(STAMP_LENGTH));
  const waits = Object.fromEntries(list(read.waits));
  const tokens = list(read.tokens);
  return {
    sessions: Object.fromEntries(list(read.sessions)),
    conversations: Object.fromEntries(list(read.conversations)),
    waits,
    inQueue,
    indexed: index.length,
    tagged: inQueue.reduce((sum, sessionId) => sum + (waits[sessionId]?.tags ?? 0), 0),
    due: list(read.due),
    pendingMatches: list(read.pendingMatches),
    unconfirmed: list(read.unconfirmed).flatMap(([id, isUnconfirmed]: [string, boolean]) =>
      isUnconfirmed ? [id] : [],
    ),
    placed: list(read.placed).map((member: string) => member.split('\0')[1]!),
    away: list(read.away),
    tokens: Object.fromEntries(tokens.flatMap((token, at) => (at % 2 === 0 ? [[token, tokens[at + 1]]] : []))),
  };
}

/** Serialises calls, so that none runs later than one that was made after it. */
export async function loadScripts(redis: Redis, scripts: typeof SCRIPTS): Promise<void> {
  await Promise.all(Object.values(scripts).map(({ text }) => redis.script('LOAD', text)));
}
