import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { randomIds } from '../domain/id-source.ts';
import { cachedScript, type ScriptRunner } from '../state/redis/cached-script.ts';
import { ForeignAnswer, renewConnection } from '../state/redis/foreign-answer.ts';
import { PREFIX } from '../state/redis/keys.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Time before a day at which its salt is fetched, so that midnight waits for nobody. Milliseconds. */
const AHEAD_MS = 60 * 60_000;
const SALT_BYTES = 32;

/**
 * Source of the salt of a day (`2026-11-22`, UTC): the same one for all who ask, for `ttlMs` from now. `known` is the one
 * the asker has; a source that has none, because it lost it or never had one, takes that.
 */
export type SaltSource = (day: string, ttlMs: number, known?: string) => Promise<string>;

const randomSalt = () => randomBytes(SALT_BYTES).toString('base64url');

/** For one process: made up on the spot, and gone with it. */
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
 * For many processes: whoever asks first makes it up, or puts back what a Redis that came back empty has lost. An answer
 * that is not to this question rejects, and has the connection made anew: it would hash everybody with another's words.
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
 * The salts of today and yesterday, by UTC. Nobody keeps one any longer, so that what was hashed two days
 * ago means nothing to anybody. While the source does not answer, the last salt goes on.
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
   * Gets what is missing, puts back what the source has lost, takes over what it has instead, and forgets what is old.
   * To be awaited before the first use, and called once in a round: a Redis that comes back empty, without the loss of a
   * connection, is noticed by nothing else. Rejects as the source does, and keeps what it has.
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
   * Newest first; at least one. After the clock was set back by days, until the next refresh, those of the days that were
   * before it.
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

/** Returns whether the salt of what was hashed at a time, Unix milliseconds, is gone: it tells nobody apart any more. */
export function isSaltForgotten(at: number, now: number): boolean {
  return dayOf(at) < dayOf(now) - 1;
}

const dayOf = (time: number) => Math.floor(time / DAY_MS);
const nameOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
