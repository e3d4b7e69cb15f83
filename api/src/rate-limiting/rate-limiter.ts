import type { MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RedisClient } from '../state/redis/redis-client.ts';
import { PREFIX } from '../state/redis/keys.ts';
import type { AddressHashes, SiteId } from '../domain/ids.ts';
import { type Count, type Counters, MemoryCounters } from './counters.ts';
import {
  type Quota,
  RATE_LIMITS,
  type RateLimitName,
  scaled,
  type Scope,
  type SharedLimitName,
  timesAt,
} from '../limits/rate-limits.ts';
import { RedisCounters } from './redis-counters.ts';

/** Actor whose actions are counted. */
export interface RateLimitSubject {
  /** Site of the action; `''` for none. */
  readonly site: SiteId | '';
  /** Hashes of the address for that site. */
  readonly address: AddressHashes;
}

/** Status of a quota after one point was consumed; of the networks of an address, the one with the fewest points left. */
export interface LimitStatus {
  readonly name: RateLimitName;
  readonly scope: Exclude<Scope, 'session'>;
  readonly quota: Quota;
  /** Points left; 0 if the action was refused. */
  readonly left: number;
  /** Time until the quota is full again. Milliseconds. */
  readonly resetMs: number;
}

/** Outcome of consuming one point: the status of each quota, and the refusal if one was used up. */
export interface ConsumeOutcome {
  readonly statuses: readonly LimitStatus[];
  readonly refusal: Refusal | null;
}

/** Share of a site's window over which retries are spread, so that refused clients do not all return at once. */
const SPREAD = 0.25;

/** Maximum number of counts remembered as used up; beyond that the oldest is dropped, and looked up again. */
const SPENT_MAX = 10_000;

/**
 * Counts actions by each network of an address on a site, and by site: in Redis for all nodes together, or in this
 * process's memory while Redis does not answer. An action refused by one of these counts consumes none of the others.
 */
export class RateLimiter {
  readonly #factor: number;
  readonly #clock: MonotonicClock;
  readonly #metrics: Metrics;
  readonly #counters: Counters;
  /** End of the window of each used-up count, by key. Until then actions are refused without a lookup. */
  readonly #spentUntil = new Map<string, number>();

  constructor(parts: {
    readonly factor: number;
    readonly redis: RedisClient | null;
    readonly clock: MonotonicClock;
    readonly metrics: Metrics;
  }) {
    const { redis, clock, metrics } = parts;
    this.#factor = parts.factor;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#counters = redis === null ? new MemoryCounters(clock) : new RedisCounters(redis, clock, metrics);
  }

  /** Consumes one point of the quotas of an address and its site. @throws Refusal `rate_limited`. */
  async consume(name: SharedLimitName, subject: RateLimitSubject): Promise<void> {
    const { refusal } = await this.tryConsume(name, subject);
    if (refusal !== null) throw refusal;
  }

  /**
   * Consumes one point without waiting for the count, so that a visitor's requests are handled in order: only actions
   * after an exhausted count is known are refused. @throws Refusal `rate_limited`.
   */
  consumeInBackground(name: SharedLimitName, subject: RateLimitSubject): void {
    const counts = this.#countsOf(name, subject);
    const spent = this.#spentIn(counts);
    if (spent !== null) throw this.#refusal(name, spent.scope, spent.resetMs);
    this.#consume(name, counts).catch(() => this.#metrics.count('passerby_incidents_total', { kind: 'limit_failed' }));
  }

  /** Consumes one point, and returns the status and the refusal instead of throwing. */
  async tryConsume(name: SharedLimitName, subject: RateLimitSubject): Promise<ConsumeOutcome> {
    const { statuses, spent } = await this.#consume(name, this.#countsOf(name, subject));
    if (spent === null) return { statuses, refusal: null };
    const spreadMs = spent.scope === 'site' ? Math.random() * SPREAD * spent.quota.windowMs : 0;
    return { statuses, refusal: this.#refusal(name, spent.scope, spent.resetMs + spreadMs) };
  }

  async #consume(
    name: SharedLimitName,
    counts: readonly ScopedCount[],
  ): Promise<{ readonly statuses: readonly LimitStatus[]; readonly spent: LimitStatus | null }> {
    const known = this.#spentIn(counts);
    if (known !== null) {
      const spent = { name, scope: known.scope, quota: known.quota, left: 0, resetMs: known.resetMs };
      return { statuses: [spent], spent };
    }
    const outcome = await this.#counters.consume(counts);
    const all = outcome.counts.map(({ used, resetMs }, index): LimitStatus => {
      const { scope, quota } = counts[index]!;
      return { name, scope, quota, left: Math.max(0, quota.points - used), resetMs };
    });
    if (outcome.full === null) return { statuses: fewestLeft(all), spent: null };
    const spent = { ...all[outcome.full]!, left: 0 };
    this.#noteSpent(counts[outcome.full]!.key, spent.resetMs);
    return { statuses: fewestLeft([...all.slice(0, outcome.full), spent]), spent };
  }

  /** Returns the counts that one action consumes, from the narrowest network to the site. */
  #countsOf(name: SharedLimitName, { site, address }: RateLimitSubject): readonly ScopedCount[] {
    const given: Partial<Record<Scope, Quota>> = RATE_LIMITS[name];
    const counts: ScopedCount[] = [];
    if (given.address !== undefined) {
      const { points, windowMs } = given.address;
      for (const [step, hash] of address.entries()) {
        const quota = scaled({ points: points * timesAt(step), windowMs }, this.#factor);
        counts.push({ scope: 'address', key: keyOf(site, `${name}:address:${hash}`), quota });
      }
    }
    if (given.site !== undefined)
      counts.push({ scope: 'site', key: keyOf(site, `${name}:site`), quota: scaled(given.site, this.#factor) });
    return counts;
  }

  /** Returns the first of these counts that is known to be used up. */
  #spentIn(counts: readonly ScopedCount[]): (ScopedCount & { readonly resetMs: number }) | null {
    const now = this.#clock();
    for (const count of counts) {
      const resetMs = (this.#spentUntil.get(count.key) ?? now) - now;
      if (resetMs > 0) return { ...count, resetMs };
    }
    return null;
  }

  #noteSpent(key: string, resetMs: number): void {
    const now = this.#clock();
    this.#spentUntil.delete(key);
    this.#spentUntil.set(key, now + resetMs);
    for (const [other, until] of this.#spentUntil) {
      if (until > now && this.#spentUntil.size <= SPENT_MAX) break;
      this.#spentUntil.delete(other);
    }
  }

  #refusal(name: RateLimitName, scope: Scope, retryAfterMs: number): Refusal {
    this.#metrics.count('passerby_limits_met_total', { limit: name, scope });
    return new Refusal('rate_limited', { retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) });
  }
}

interface ScopedCount extends Count {
  readonly scope: LimitStatus['scope'];
}

/** Returns the key of a count. All keys of a site share one hash slot, so that one script can access those of an action. */
const keyOf = (site: SiteId | '', rest: string) => `${PREFIX}limit:{${site || 'none'}}:${rest}`;

/** Returns the status with the fewest points left for each scope. */
function fewestLeft(statuses: readonly LimitStatus[]): readonly LimitStatus[] {
  const byScope = new Map<LimitStatus['scope'], LimitStatus>();
  for (const status of statuses) {
    const fewest = byScope.get(status.scope);
    if (fewest === undefined || status.left < fewest.left) byScope.set(status.scope, status);
  }
  return [...byScope.values()];
}
