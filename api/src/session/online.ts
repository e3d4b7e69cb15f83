import type { OnlineBucket } from '@passerby/sdk/protocol';
import type { Push } from '../push.ts';
import type { StateStore, SiteId } from '../state/state-store.ts';

/** Lower ends of the buckets: coarse enough that nobody can watch one visitor come and go. */
const BUCKET_STARTS = [0, 2, 6, 12, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000] as const;

/** The bucket a count falls into. `count` is an integer, at least 0. */
export function bucketOf(count: number): OnlineBucket {
  const above = BUCKET_STARTS.findIndex((start) => start > count);
  if (above === -1) return { min: BUCKET_STARTS.at(-1)!, max: null };
  return { min: BUCKET_STARTS[above - 1]!, max: BUCKET_STARTS[above]! - 1 };
}

/** Tells visitors about how many are on their site: at the start, and when the bucket changes. */
export class Online {
  readonly #store: StateStore;
  readonly #push: Push;
  readonly #told = new Map<SiteId, number>();
  readonly #changed = new Set<SiteId>();

  constructor(store: StateStore, push: Push) {
    this.#store = store;
    this.#push = push;
  }

  /** The bucket as it is now. */
  async now(site: SiteId): Promise<OnlineBucket> {
    return bucketOf(await this.#store.online(site));
  }

  /** Somebody came or went; told at the next `tellChanges`, so that a rush costs one push. */
  touch(site: SiteId): void {
    this.#changed.add(site);
  }

  /** How many sites are kept in mind, for the tests that show nothing is left behind. */
  get size(): number {
    return new Set([...this.#told.keys(), ...this.#changed]).size;
  }

  async tellChanges(): Promise<void> {
    const sites = [...this.#changed];
    this.#changed.clear();
    for (const site of sites) {
      const online = await this.now(site);
      if (this.#told.get(site) === online.min) continue;
      if (online.min === 0) this.#told.delete(site);
      else this.#told.set(site, online.min);
      this.#push.toSite(site, 'site:presence', { online });
    }
  }
}
