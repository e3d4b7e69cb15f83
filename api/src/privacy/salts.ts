import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { randomIds } from '../domain/id-source.ts';
import { cachedScript, type ScriptRunner } from '../state/redis/cached-script.ts';
import { ForeignAnswer, renewConnection } from '../state/redis/foreign-answer.ts';
import { PREFIX } from '../state/redis/keys.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Time before a day at which its salt is fetched, so that it is there at midnight. Milliseconds. */
const AHEAD_MS = 60 * 60_000;
const SALT_BYTES = 32;

/**
 * Source of the salt of a day (`2026-11-22`, UTC): the same one for all callers, for `ttlMs` from now. `known` is the
 * caller's own; a source without one, because it lost it or never had it, adopts that.
 */
export type SaltSource = (day: string, ttlMs: number, known?: string) => Promise<string>;

const randomSalt = () => randomBytes(SALT_BYTES).toString('base64url');

/** Salts of a single process: generated on demand, and lost with it. */
export const ownSalts: SaltSource = (_day, _ttlMs, known = randomSalt()) => Promise.resolve(known);

/** 256 bits in base64url, as `randomSalt` makes them. */
const SALT = /^[\w-]{43}$/;

/**
 * KEYS     the salt of one day
 * ARGV     operation, the salt to put there if there is none, milliseconds it is kept
 * RETURNS  operation, the salt that all use. What is no salt is replaced, of whatever type it is.
 * COST     one command, two where there is none
 *
 * Of a day and not of a site: it has no place in the registry of keys, nor among the scripts with a head.
 */
export const AGREE_TEXT = `
local kept = redis.pcall('GET', KEYS[1])
if type(kept) == 'string' and #kept == 43 and not kept:find('[^%w_-]') then return { ARGV[1], kept } end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return { ARGV[1], ARGV[2] }
`;
const AGREE = cachedScript(AGREE_TEXT);

/**
 * Salts shared by many processes: the first caller generates one, or restores what a Redis that came back empty has
 * lost. An answer of another operation rejects, and makes the connection reconnect: addresses would be hashed with a
 * wrong salt.
 */
export function sharedSalts(redis: ScriptRunner): SaltSource {
  return async (day, ttlMs, known = randomSalt()) => {
    const operation = randomIds.operation();
    const raw = await AGREE(redis, [`${PREFIX}salt:${day}`], [operation, known, ttlMs]);
    const [echo, salt] = Array.isArray(raw) ? (raw as unknown[]) : [];
    if (echo === operation && typeof salt === 'string' && SALT.test(salt)) return salt;
    renewConnection(redis);
    throw new ForeignAnswer('salts: the answer is of another operation');
  };
}

/**
 * Salts of today and yesterday, by UTC. None is kept longer, so that hashes of two days ago mean nothing to anybody.
 * While the source does not answer, the last salt stays in use.
 */
export class Salts {
  readonly #clock: Clock;
  readonly #source: SaltSource;
  readonly #byDay = new Map<number, string>();

  constructor(clock: Clock, source: SaltSource) {
    this.#clock = clock;
    this.#source = source;
  }

  /**
   * Fetches missing salts, restores those that the source has lost, adopts those that it has instead, and forgets old
   * ones. Await it before the first use, and call it once per round: nothing else notices a Redis that comes back empty
   * without losing a connection. Rejects as the source does, and keeps its salts.
   */
  async refresh(): Promise<void> {
    const now = this.#clock();
    const today = dayOf(now);
    const needed = new Set([today - 1, today, dayOf(now + AHEAD_MS)]);
    await Promise.all(
      [...needed].map(async (day) => {
        const goodUntil = (day + 2) * DAY_MS;
        this.#byDay.set(day, await this.#source(nameOf(day), goodUntil - now, this.#byDay.get(day)));
      }),
    );
    for (const day of this.#byDay.keys()) if (day < today - 1) this.#byDay.delete(day);
  }

  /**
   * Returns the salts, newest first; at least one. After the clock was set back by days, those of later days until the
   * next refresh.
   */
  known(): readonly [string, ...string[]] {
    const today = dayOf(this.#clock());
    const all = [...this.#byDay.keys()].sort((a, b) => b - a);
    const past = all.filter((day) => day <= today);
    const days = past.length > 0 ? past : all;
    const [newest, ...older] = days.slice(0, 2).map((day) => this.#byDay.get(day)!);
    if (newest === undefined) throw new Error('salts are used before refresh() was awaited');
    return [newest, ...older];
  }
}

/**
 * Returns whether the salt of a hash made at a time, Unix milliseconds, is gone, so that the hash matches nobody any
 * more.
 */
export function isSaltForgotten(at: number, now: number): boolean {
  return dayOf(at) < dayOf(now) - 1;
}

const dayOf = (time: number) => Math.floor(time / DAY_MS);
const nameOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
