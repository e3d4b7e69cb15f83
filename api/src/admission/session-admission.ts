import type { MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SiteId } from '../domain/ids.ts';
import type { Load } from '../rate-limiting/event-loop-load.ts';
import type { RateLimitSubject, RateLimiter, LimitStatus } from '../rate-limiting/rate-limiter.ts';

/** Bounds of the random `retryAfterMs` of a shed session. Milliseconds. */
const SHED_RETRY_MS = { min: 2_000, max: 6_000 } as const;

/**
 * Admits new sessions, or sheds them. Resuming clients are rate-limited but never shed; visitors in the queue or in a
 * conversation are not checked.
 */
export class SessionAdmission {
  readonly #limiter: RateLimiter;
  readonly #load: Load;
  readonly #shedFromMs: number;
  readonly #clock: MonotonicClock;
  readonly #metrics: Metrics;
  /** Used share of a site's quota in the present window, and the end of that window. */
  readonly #used = new Map<SiteId, { readonly share: number; readonly until: number }>();

  constructor(parts: {
    readonly limiter: RateLimiter;
    readonly load: Load;
    /** Delay of the event loop from which new sessions are shed. Milliseconds. */
    readonly shedFromMs: number;
    readonly clock: MonotonicClock;
    readonly metrics: Metrics;
  }) {
    this.#limiter = parts.limiter;
    this.#load = parts.load;
    this.#shedFromMs = parts.shedFromMs;
    this.#clock = parts.clock;
    this.#metrics = parts.metrics;
  }

  /** @throws Refusal `unavailable` while this process is behind, `rate_limited`. */
  async admit(subject: RateLimitSubject): Promise<void> {
    if (this.#load.delayMs() >= this.#shedFromMs) {
      this.#metrics.count('passerby_incidents_total', { kind: 'sessions_shed' });
      const { min, max } = SHED_RETRY_MS;
      throw new Refusal('unavailable', { retryAfterMs: Math.round(min + Math.random() * (max - min)) });
    }
    const { statuses, refusal } = await this.#limiter.tryConsume('sessions', subject);
    if (subject.site !== '') this.#note(subject.site, statuses);
    if (refusal !== null) throw refusal;
  }

  /** Counts an attempt to resume, with a valid token or not. @throws Refusal `rate_limited`. */
  async admitBack(subject: RateLimitSubject): Promise<void> {
    await this.#limiter.consume('returns', subject);
  }

  /** Returns the share of its quota of new sessions that a site has used up: 0 to 1. */
  usedShare(site: SiteId): number {
    const used = this.#used.get(site);
    return used !== undefined && used.until > this.#clock() ? used.share : 0;
  }

  #note(site: SiteId, statuses: readonly LimitStatus[]): void {
    const ofSite = statuses.find(({ scope }) => scope === 'site');
    if (ofSite === undefined) return;
    const { quota, left, resetMs } = ofSite;
    this.#used.set(site, { share: 1 - left / quota.points, until: this.#clock() + resetMs });
  }
}
