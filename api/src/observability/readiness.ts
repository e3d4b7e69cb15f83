import type { ReadinessReason, StoreFault } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';

/** How long what the store said stands, however often somebody asks. Milliseconds. */
const STORE_TTL_MS = 1_000;
/** How long it may take to answer. Milliseconds. */
const STORE_ANSWER_MS = 500;
/** How long the records may be out of reach before this process says so. Milliseconds. */
const STALE_MS = 5_000;

/** Whether the state store takes writes. */
export interface StoreStanding {
  readonly isAvailable: boolean;
  /** Faults it has. There may be some while it is available, if they concern a part of the sites. */
  readonly faults: readonly StoreFault[];
}

export const STORE_WELL: StoreStanding = { isAvailable: true, faults: [] };

export interface ReadinessParts {
  readonly clock: MonotonicClock;
  readonly isDraining: () => boolean;
  /** Asks whether the state store takes writes. */
  readonly askStore: () => Promise<StoreStanding>;
  /** Since when the database with the records has not answered, as `clock` tells it; `null` while it does. */
  readonly recordsStaleSince?: () => number | null;
  readonly isOverloaded?: () => boolean;
}

/** Whether this process should get visitors, and why not. A flood of questions costs the store one call a second. */
export class ReadinessCheck {
  readonly #parts: ReadinessParts;
  #store: StoreStanding = STORE_WELL;
  #answeredAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /** Empty: it is ready. Answers within `STORE_ANSWER_MS`, whatever the store does. */
  async reasons(): Promise<readonly ReadinessReason[]> {
    return (await this.look()).reasons;
  }

  /** The same, with what is wrong with the state store. */
  async look(): Promise<{ readonly reasons: readonly ReadinessReason[]; readonly storeFaults: readonly StoreFault[] }> {
    const { clock, isDraining, recordsStaleSince, isOverloaded } = this.#parts;
    const store = await this.#askStore();
    const staleSince = recordsStaleSince?.() ?? null;
    const reasons: readonly (ReadinessReason | false)[] = [
      isDraining() && 'draining',
      !store.isAvailable && 'store_unavailable',
      staleSince !== null && clock() - staleSince > STALE_MS && 'records_stale',
      (isOverloaded?.() ?? false) && 'overloaded',
    ];
    return { reasons: reasons.filter((reason) => reason !== false), storeFaults: store.faults };
  }

  async #askStore(): Promise<StoreStanding> {
    if (this.#asking === null && this.#parts.clock() - this.#answeredAt >= STORE_TTL_MS) {
      this.#asking = this.#ask();
    }
    if (this.#asking !== null) {
      await within(this.#asking, STORE_ANSWER_MS, () => (this.#store = { isAvailable: false, faults: ['TIMEOUT'] }));
    }
    return this.#store;
  }

  async #ask(): Promise<void> {
    try {
      this.#store = await this.#parts.askStore();
    } catch {
      // What a store that answers has to say comes as a fault: this is one of no known kind.
      this.#store = { isAvailable: false, faults: ['UNKNOWN'] };
    } finally {
      this.#asking = null;
      this.#answeredAt = this.#parts.clock();
    }
  }
}

/** Waits for `work`, but not for longer than `ms`; then `late` is called. */
async function within(work: Promise<void>, ms: number, late: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      late();
      resolve();
    }, ms);
  });
  await Promise.race([work, timeUp]);
  clearTimeout(timer);
}
