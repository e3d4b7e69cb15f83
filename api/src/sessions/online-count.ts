import type { OnlineBucket } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import type { Broadcast } from '../broadcast.ts';
import type { SiteTurns } from '../state/site-turns.ts';
import type { SiteId } from '../domain/ids.ts';
import type { StateStore } from '../state/state-store.ts';
import type { LocalSessions } from './local-sessions.ts';

/** Lower ends of the buckets. The first says whether anybody else is here; from there on they grow with the count. */
const BUCKET_STARTS = [0, 2, 6, 12, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000] as const;

/** Time between two looks at a site where nobody came or went on this node: somebody may have on another. Milliseconds. */
const LOOK_MS = 2_000;

/** The bucket a count falls into. `count` is an integer, at least 0. */
export function bucketOf(count: number): OnlineBucket {
  const above = BUCKET_STARTS.findIndex((start) => start > count);
  if (above === -1) return { min: BUCKET_STARTS.at(-1)!, max: null };
  return { min: BUCKET_STARTS[above - 1]!, max: BUCKET_STARTS[above]! - 1 };
}

/** Count that a site's visitors on this node were told. */
interface Told {
  /** Lower end of the bucket that all of them were told last; `null` if they were told different ones, or some of them none. */
  min: number | null;
  /** True if somebody came or went since the last look. */
  isTouched: boolean;
  lookedAt: number;
}

/** Tells visitors about how many are on their site: on arrival, and whenever what one of them was told last is no longer right. */
export class OnlineCount {
  readonly #store: Pick<StateStore, 'online'>;
  readonly #local: Pick<LocalSessions, 'hasVisitors'>;
  readonly #broadcast: Pick<Broadcast, 'toSite'>;
  readonly #clock: MonotonicClock;
  readonly #turns: SiteTurns;
  readonly #sites = new Map<SiteId, Told>();

  constructor(parts: {
    readonly store: Pick<StateStore, 'online'>;
    readonly local: Pick<LocalSessions, 'hasVisitors'>;
    readonly broadcast: Pick<Broadcast, 'toSite'>;
    readonly clock: MonotonicClock;
    readonly turns: SiteTurns;
  }) {
    this.#store = parts.store;
    this.#local = parts.local;
    this.#broadcast = parts.broadcast;
    this.#clock = parts.clock;
    this.#turns = parts.turns;
  }

  /** Tells a visitor who arrived, and by now hears what the site is told, the bucket as it is. */
  async tellArrived(site: SiteId, tell: (online: OnlineBucket) => void): Promise<void> {
    const bucket = bucketOf(await this.#store.online(site));
    const told = this.#sites.get(site);
    if (told === undefined) this.#sites.set(site, { min: bucket.min, isTouched: true, lookedAt: this.#clock() });
    else if (told.min !== bucket.min) {
      // Those who were here know another one, or are being told a newer one in this moment.
      told.min = null;
      told.isTouched = true;
    }
    // In the same turn: a push to the site in between would be undone by it.
    tell(bucket);
  }

  /** Notes that a visitor came or went; told at the next `tellChanges`, so that a rush costs one push. */
  touch(site: SiteId): void {
    const told = this.#sites.get(site);
    if (told !== undefined) told.isTouched = true;
  }

  /** Number of sites kept in mind. */
  get size(): number {
    return this.#sites.size;
  }

  /** Looks at each site with visitors here. */
  async tellChanges(): Promise<void> {
    const due: SiteId[] = [];
    for (const [site, told] of this.#sites) {
      if (!this.#local.hasVisitors(site)) this.#sites.delete(site);
      else if (told.isTouched || this.#clock() - told.lookedAt >= LOOK_MS) due.push(site);
    }
    await this.#turns.each('online', due, (site) => this.#look(site));
  }

  async #look(site: SiteId): Promise<void> {
    const told = this.#sites.get(site);
    if (told === undefined) return;
    // Before the question: who comes while it is answered is news again.
    told.isTouched = false;
    told.lookedAt = this.#clock();
    const online = bucketOf(await this.#store.online(site));
    if (told.min === online.min) return;
    const isToldToAll = this.#broadcast.toSite(site, 'site:presence', { online });
    // Whoever reads too slowly is told at the next look.
    told.min = isToldToAll ? online.min : null;
  }
}
