import type { MonotonicClock } from '../clock.ts';
import { RATE_LIMITS, scaled, type SessionLimitName } from '../limits/rate-limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Interval at which idle sessions are dropped. Milliseconds. */
const SWEEP_MS = 60_000;

/**
 * Rate limiter of single sessions, in this process's memory, since relaying a message uses no store. A session that
 * reconnects keeps its quotas; on another node they start full.
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

  /** Consumes one point. Returns whether there was one. */
  tryConsume(name: SessionLimitName, session: string): boolean {
    return this.#bucketOf(name, session).tryConsume(this.#clock());
  }

  /** Returns the time until that many points can be consumed at once, or the full quota if it is less. Milliseconds. */
  msUntil(points: number, name: SessionLimitName, session: string): number {
    return this.#bucketOf(name, session).msUntil(points, this.#clock());
  }

  /** Number of sessions in memory, for tests of leaks. */
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

  /** Drops full buckets, which are equivalent to missing ones. */
  #sweep(): void {
    const now = this.#clock();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const buckets of this.#buckets.values()) {
      for (const [session, bucket] of buckets) if (bucket.msUntil(Infinity, now) === 0) buckets.delete(session);
    }
  }
}
