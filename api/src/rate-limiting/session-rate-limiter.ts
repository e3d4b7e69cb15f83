import type { MonotonicClock } from '../clock.ts';
import { RATE_LIMITS, scaled, type SessionLimitName } from '../limits/rate-limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Interval at which sessions that took nothing for long are forgotten. Milliseconds. */
const SWEEP_MS = 60_000;

/**
 * Rate limiter of single sessions, in this process's memory: the way of a message asks no store. A session that
 * loses its connection finds its quotas as it left them; on another node they are new.
 */
export class SessionRateLimiter {
  readonly #clock: MonotonicClock;
  readonly #factor: number;
  readonly #buckets = new Map<SessionLimitName, Map<string, TokenBucket>>();
  #sweptAt: number;

  constructor(clock: MonotonicClock, factor: number) {
    this.#clock = clock;
    this.#factor = factor;
    this.#sweptAt = clock();
  }

  /** Takes one. Whether there was one. */
  tryConsume(name: SessionLimitName, session: string): boolean {
    return this.#bucketOf(name, session).tryConsume(this.#clock());
  }

  /** Time until that many may be taken at once, or all there can be. Milliseconds. */
  msUntil(points: number, name: SessionLimitName, session: string): number {
    return this.#bucketOf(name, session).msUntil(points, this.#clock());
  }

  /** Number of sessions that are kept in mind, for the tests that show nothing is left behind. */
  get size(): number {
    return new Set([...this.#buckets.values()].flatMap((buckets) => [...buckets.keys()])).size;
  }

  #bucketOf(name: SessionLimitName, session: string): TokenBucket {
    this.#sweep();
    const buckets = this.#buckets.get(name) ?? new Map<string, TokenBucket>();
    this.#buckets.set(name, buckets);
    const bucket =
      buckets.get(session) ?? new TokenBucket(scaled(RATE_LIMITS[name].session, this.#factor), this.#clock());
    buckets.set(session, bucket);
    return bucket;
  }

  /** A full bucket is as good as none. */
  #sweep(): void {
    const now = this.#clock();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const buckets of this.#buckets.values()) {
      for (const [session, bucket] of buckets) if (bucket.msUntil(Infinity, now) === 0) buckets.delete(session);
    }
  }
}
