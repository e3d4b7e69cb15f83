import type { MonotonicClock } from '../clock.ts';
import type { Quota } from '../limits/rate-limits.ts';

/** One count that an action consumes: of a network on a site, or of the whole site. */
export interface Count {
  readonly key: string;
  readonly quota: Quota;
}

/** State of one count. `used` includes the action itself, unless it was refused. */
export interface Used {
  readonly used: number;
  /** Time until the window of this count ends. Milliseconds. */
  readonly resetMs: number;
}

/** Outcome of one action. */
export interface CountOutcome {
  /** Index of the first count that was used up; then none was consumed. `null` if each was consumed once. */
  readonly full: number | null;
  /** Counts in the order of the request, up to the one that was used up. */
  readonly counts: readonly Used[];
}

/** Counters with fixed windows, each from its first use. */
export interface Counters {
  /** Consumes one of each count, or of none if one of them is used up. */
  consume(counts: readonly Count[]): Promise<CountOutcome>;
}

interface Window {
  used: number;
  readonly endsAt: number;
}

/** Maximum number of windows remembered; the oldest is dropped beyond that. About 20 MB. */
const WINDOWS_MAX = 100_000;
/** Interval between two sweeps of expired windows. Milliseconds. */
const SWEEP_MS = 60_000;

/** Counters in this process's memory. */
export class MemoryCounters implements Counters {
  readonly #clock: MonotonicClock;
  readonly #max: number;
  readonly #windows = new Map<string, Window>();
  #sweptAt: number;

  constructor(clock: MonotonicClock, max = WINDOWS_MAX) {
    this.#clock = clock;
    this.#max = max;
    this.#sweptAt = clock();
  }

  async consume(asked: readonly Count[]): Promise<CountOutcome> {
    const now = this.#clock();
    this.#sweep(now);
    const windows = asked.map(({ key, quota: quota }) => this.#windowOf(key, quota, now));
    const full = windows.findIndex(({ used }, index) => used >= asked[index]!.quota.points);
    if (full === -1) for (const window of windows) window.used += 1;
    const reached = full === -1 ? windows : windows.slice(0, full + 1);
    return {
      full: full === -1 ? null : full,
      counts: reached.map(({ used, endsAt }) => ({ used, resetMs: endsAt - now })),
    };
  }

  /** Number of windows remembered. */
  get size(): number {
    return this.#windows.size;
  }

  #windowOf(key: string, { windowMs }: Quota, now: number): Window {
    const known = this.#windows.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    const window = { used: 0, endsAt: now + windowMs };
    this.#windows.delete(key);
    this.#windows.set(key, window);
    if (this.#windows.size > this.#max) this.#windows.delete(this.#windows.keys().next().value!);
    return window;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const [key, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(key);
  }
}
