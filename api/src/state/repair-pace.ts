import type { MonotonicClock } from '../clock.ts';
import type { SiteId } from '../domain/ids.ts';
import type { RepairOutcome } from './state-store.ts';

/** Entries of each kind that the walk over a site looks at in a round, and in how many calls. */
export const SLOW = { max: 20, calls: 1 } as const;
export const FAST = { max: 100, calls: 3 } as const;
/** Calls in a round while each finds something to put right: a lost key is mended at 1,000 entries a second. */
const CALLS_MAX = 10;
/** Time for which a site is walked over fast after a sign of loss: longer than a walk over 10,000 sessions. Milliseconds. */
const FAST_MS = 60_000;

export interface Pace {
  /** Entries of each kind one call looks at. */
  readonly max: number;
  /** Calls in a round, unless the last one put something right: then one more, up to `callsMax`. */
  readonly calls: number;
  readonly callsMax: number;
}

/**
 * Decides how fast the walk that looks for lost entries goes over each site: slowly, since it goes round for ever, and fast
 * for a while after a sign that something was lost.
 */
export class RepairPace {
  readonly #clock: MonotonicClock;
  readonly #signAt = new Map<SiteId, number>();
  #signEverywhereAt = -Infinity;

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
  }

  of(site: SiteId): Pace {
    const signAt = Math.max(this.#signAt.get(site) ?? -Infinity, this.#signEverywhereAt);
    if (this.#clock() - signAt < FAST_MS) return { ...FAST, callsMax: CALLS_MAX };
    this.#signAt.delete(site);
    return { ...SLOW, callsMax: CALLS_MAX };
  }

  /** Something may be lost on this site: a node and the store did not believe the same. */
  noteSign(site: SiteId): void {
    this.#signAt.set(site, this.#clock());
  }

  /** Something may be lost anywhere: the store was away. */
  noteSignEverywhere(): void {
    this.#signEverywhereAt = this.#clock();
  }

  noteOutcome(site: SiteId, { isMore, areCountsAtOdds }: RepairOutcome): void {
    if (isMore || areCountsAtOdds) this.noteSign(site);
  }

  /** Forgets sites that this node no longer looks after. */
  keepOnly(sites: readonly SiteId[]): void {
    const kept = new Set(sites);
    for (const site of this.#signAt.keys()) if (!kept.has(site)) this.#signAt.delete(site);
  }
}
