import type { MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import { RATE_LIMITS, type RateLimitName, scaled, type SessionLimitName } from '../limits/rate-limits.ts';
import type { Counter } from '../observability/counter-family.ts';
import type { Metrics } from '../observability/metrics.ts';
import { TokenBucket } from './token-bucket.ts';

/** Counters of the actions that were refused for want of a session's quota, of all sessions together. */
export type QuotaRefusals = Readonly<Record<SessionLimitName, Counter>>;

/** Returns the counters of a service, resolved once, since a flood counts with every frame. */
export function quotaRefusals(metrics: Metrics): QuotaRefusals {
  const names = Object.keys(RATE_LIMITS).filter(isSessionLimit);
  const counters = names.map(
    (limit) => [limit, metrics.counter('passerby_limits_met_total', { limit, scope: 'session' })] as const,
  );
  return Object.fromEntries(counters) as QuotaRefusals;
}

function isSessionLimit(name: string): name is SessionLimitName {
  return 'session' in RATE_LIMITS[name as RateLimitName];
}

/** Rate limiter of one session, in this process's memory, since relaying a message uses no store. */
export class SessionRateLimiter {
  readonly #clock: MonotonicClock;
  readonly #factor: number;
  readonly #refusals: QuotaRefusals;
  /** Buckets of the limits that were met so far; a missing one is full. */
  readonly #buckets: { [Name in SessionLimitName]?: TokenBucket } = {};

  /** `factor` multiplies the quotas. */
  constructor(parts: { readonly clock: MonotonicClock; readonly factor: number; readonly refusals: QuotaRefusals }) {
    this.#clock = parts.clock;
    this.#factor = parts.factor;
    this.#refusals = parts.refusals;
  }

  /** Consumes one point. Returns whether there was one; counts it if not. */
  tryConsume(name: SessionLimitName): boolean {
    const now = this.#clock();
    if (this.#bucketOf(name, now).tryConsume(now)) return true;
    this.noteRefused(name);
    return false;
  }

  /** Consumes one point. @throws Refusal `rate_limited`. */
  consume(name: SessionLimitName): void {
    if (this.tryConsume(name)) return;
    throw new Refusal('rate_limited', { retryAfterMs: Math.max(1, this.msUntil(1, name)) });
  }

  /** Returns the time until that many points can be consumed at once, or the full quota if it is less. Milliseconds. */
  msUntil(points: number, name: SessionLimitName): number {
    const now = this.#clock();
    return this.#bucketOf(name, now).msUntil(points, now);
  }

  /** Counts an action that was refused for want of a quota. */
  noteRefused(name: SessionLimitName): void {
    this.#refusals[name].increment();
  }

  /** Returns the time until all quotas are full. Milliseconds. */
  msUntilFull(now: number): number {
    return Math.max(0, ...Object.values(this.#buckets).map((bucket) => bucket.msUntil(Infinity, now)));
  }

  #bucketOf(name: SessionLimitName, now: number): TokenBucket {
    return (this.#buckets[name] ??= new TokenBucket(scaled(RATE_LIMITS[name].session, this.#factor), now));
  }
}
