import type { ReadinessReason } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';

/** How long what the store said stands, however often somebody asks. Milliseconds. */
const STORE_TTL_MS = 1_000;
/** How long it may take to answer. Milliseconds. */
const STORE_ANSWER_MS = 500;
/** How long the records may be out of reach before this process says so. Milliseconds. */
const STALE_MS = 5_000;

export interface ReadinessParts {
  readonly clock: MonotonicClock;
  readonly isDraining: () => boolean;
  /** Asks the state store for the least it can answer; rejects if it does not. */
  readonly pingStore: () => Promise<unknown>;
  /** Since when the database with the records has not answered, as `clock` tells it; `null` while it does. */
  readonly recordsStaleSince?: () => number | null;
  readonly isOverloaded?: () => boolean;
}

/** Whether this process should get visitors, and why not. A flood of questions costs the store one call a second. */
export class ReadinessCheck {
  readonly #parts: ReadinessParts;
  #isStoreThere = true;
  #answeredAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /** Empty: it is ready. Answers within `STORE_ANSWER_MS`, whatever the store does. */
  async reasons(): Promise<readonly ReadinessReason[]> {
    const { clock, isDraining, recordsStaleSince, isOverloaded } = this.#parts;
    const isStoreThere = await this.#askStore();
    const staleSince = recordsStaleSince?.() ?? null;
    const reasons: readonly (ReadinessReason | false)[] = [
      isDraining() && 'draining',
      !isStoreThere && 'store_unavailable',
      staleSince !== null && clock() - staleSince > STALE_MS && 'records_stale',
      (isOverloaded?.() ?? false) && 'overloaded',
    ];
    return reasons.filter((reason) => reason !== false);
  }

  async #askStore(): Promise<boolean> {
    if (this.#asking === null && this.#parts.clock() - this.#answeredAt >= STORE_TTL_MS) {
      this.#asking = this.#ping();
    }
    if (this.#asking !== null) await within(this.#asking, STORE_ANSWER_MS, () => (this.#isStoreThere = false));
    return this.#isStoreThere;
  }

  async #ping(): Promise<void> {
    try {
      await this.#parts.pingStore();
      this.#isStoreThere = true;
    } catch {
      // Why not is the store's own to log: here it only counts that it did not answer.
      this.#isStoreThere = false;
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
