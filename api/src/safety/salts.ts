import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { RedisClient } from '../state/redis/client.ts';
import { PREFIX } from '../state/redis/keys.ts';

const DAY_MS = 24 * 60 * 60_000;
/** How long before a day its salt is fetched, so that midnight waits for nobody. Milliseconds. */
const AHEAD_MS = 60 * 60_000;
const SALT_BYTES = 32;

/** Where the salt of a day (`2026-11-22`, UTC) comes from: the same one for all who ask, for `ttlMs` from now. */
export type SaltSource = (day: string, ttlMs: number) => Promise<string>;

const randomSalt = () => randomBytes(SALT_BYTES).toString('base64url');

/** For one process: made up on the spot, and gone with it. */
export const ownSalts: SaltSource = () => Promise.resolve(randomSalt());

/** For many processes: whoever asks first makes it up. */
export function sharedSalts(redis: RedisClient): SaltSource {
  return async (day, ttlMs) => {
    const made = randomSalt();
    return (await redis.set(`${PREFIX}salt:${day}`, made, 'PX', ttlMs, 'NX', 'GET')) ?? made;
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
   * Gets what is missing and forgets what is old. To be awaited before the first use, and called now and
   * then; does nothing most of the time. Rejects as the source does.
   */
  async refresh(): Promise<void> {
    const now = this.#clock();
    const today = dayOf(now);
    const needed = [today - 1, today, dayOf(now + AHEAD_MS)];
    for (const day of needed) {
      if (this.#byDay.has(day)) continue;
      const goodUntil = (day + 2) * DAY_MS;
      this.#byDay.set(day, await this.#source(nameOf(day), goodUntil - now));
    }
    for (const day of this.#byDay.keys()) if (day < today - 1) this.#byDay.delete(day);
  }

  /** Newest first; at least one. */
  known(): readonly [string, ...string[]] {
    const today = dayOf(this.#clock());
    const days = [...this.#byDay.keys()].filter((day) => day <= today).sort((a, b) => b - a);
    const [newest, ...older] = days.slice(0, 2).map((day) => this.#byDay.get(day)!);
    if (newest === undefined) throw new Error('salts are used before refresh() was awaited');
    return [newest, ...older];
  }
}

/** Whether the salt of what was hashed at a time, Unix milliseconds, is gone: it tells nobody apart any more. */
export function isSaltForgotten(at: number, now: number): boolean {
  return dayOf(at) < dayOf(now) - 1;
}

const dayOf = (time: number) => Math.floor(time / DAY_MS);
const nameOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
