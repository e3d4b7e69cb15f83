import { TIMES } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import type { SiteId } from '../domain/ids.ts';
import type { LocalSessions } from './local-sessions.ts';

/** Time beyond the grace period for which a site is maintained, so that its last visitors are closed. Milliseconds. */
const LINGER_MS = 10_000;

/** Sites that this node has to maintain: with visitors here, or with some until recently. */
export class SiteActivity {
  readonly #local: Pick<LocalSessions, 'hasVisitors'>;
  readonly #clock: MonotonicClock;
  /** Time at which each site had a visitor last, by the monotonic clock. */
  readonly #seenAt = new Map<SiteId, number>();

  constructor(local: Pick<LocalSessions, 'hasVisitors'>, clock: MonotonicClock) {
    this.#local = local;
    this.#clock = clock;
  }

  /** Notes that a visitor of the site came or went. */
  touch(site: SiteId): void {
    this.#seenAt.set(site, this.#clock());
  }

  /**
   * Returns the sites to maintain in this round, and drops those whose last visitor has been gone for the grace period:
   * each is returned once more after that.
   */
  nextRound(): readonly SiteId[] {
    const now = this.#clock();
    const sites = this.all();
    for (const [site, seenAt] of this.#seenAt) {
      if (this.#local.hasVisitors(site)) this.#seenAt.set(site, now);
      else if (seenAt < now - TIMES.graceMs - LINGER_MS) this.#seenAt.delete(site);
    }
    return sites;
  }

  /** Returns the sites to maintain, without dropping any. */
  all(): readonly SiteId[] {
    return [...this.#seenAt.keys()];
  }

  /** Keeps a site for one more round, since not all that is due on it could be done. */
  keep(site: SiteId): void {
    if (!this.#seenAt.has(site)) this.#seenAt.set(site, -Infinity);
  }

  /** Number of sites to maintain. */
  get size(): number {
    return this.#seenAt.size;
  }
}
