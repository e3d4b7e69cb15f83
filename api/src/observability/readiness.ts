import type { ReadinessReason, StoreFault } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';

/** Time for which an answer of the store is cached. Milliseconds. */
const STORE_TTL_MS = 1_000;
/** Time for which an answer of the database is cached, where each probe is a write to the disk. Milliseconds. */
const RECORDS_TTL_MS = 5_000;
/** Maximum time to wait for either. Milliseconds. */
const ANSWER_MS = 500;
/** Time for which the records may be unreachable before this process reports it. Milliseconds. */
const STALE_MS = 5_000;

/** State of the store, as far as a visitor depends on it. */
export interface StoreStanding {
  readonly isAvailable: boolean;
  /** Present faults. The store may be available nevertheless, if they concern only some of the sites. */
  readonly faults: readonly StoreFault[];
}

export const STORE_WELL: StoreStanding = { isAvailable: true, faults: [] };

export interface ReadinessParts {
  readonly clock: MonotonicClock;
  readonly isDraining: () => boolean;
  /** Asks whether the state store takes writes. */
  readonly askStore: () => Promise<StoreStanding>;
  /** Fault of the node bus, by which no messages of other processes arrive; `undefined` while there is none. */
  readonly busFault?: () => StoreFault | undefined;
  /** Time since which the database with the records has not answered, by `clock`; `null` while it does. */
  readonly recordsStaleSince?: () => number | null;
  /** Rejects if the database with the records takes no writes. */
  readonly probeRecords?: (() => Promise<unknown>) | undefined;
  readonly isOverloaded?: () => boolean;
}

/**
 * Decides whether this process should get visitors, and for which reasons not. However often it is asked, the store
 * gets one call a second, and the database one per `RECORDS_TTL_MS`.
 */
export class ReadinessCheck {
  readonly #parts: ReadinessParts;
  readonly #store: LastAnswer<StoreStanding>;
  readonly #areRecordsWritable: LastAnswer<boolean>;

  constructor(parts: ReadinessParts) {
    const { clock, askStore, probeRecords } = parts;
    this.#parts = parts;
    this.#store = new LastAnswer({
      clock,
      ask: askStore,
      everyMs: STORE_TTL_MS,
      first: STORE_WELL,
      // What a store that answers has to say comes as a fault: this is one of no known kind.
      failed: { isAvailable: false, faults: ['UNKNOWN'] },
      // What is known to be wrong stands until there is an answer.
      late: (last) => (last.isAvailable ? { isAvailable: false, faults: ['TIMEOUT'] } : last),
    });
    this.#areRecordsWritable = new LastAnswer({
      clock,
      ask: async () => {
        await probeRecords?.();
        return true;
      },
      everyMs: RECORDS_TTL_MS,
      first: true,
      // The records log why.
      failed: false,
    });
  }

  /** Answers within `ANSWER_MS`, whatever the store and the database do. */
  async look(): Promise<Outlook> {
    const { clock, isDraining, busFault, recordsStaleSince, isOverloaded } = this.#parts;
    const [store, areRecordsWritable] = await Promise.all([this.#store.look(), this.#areRecordsWritable.look()]);
    // A store that is away carries no messages either, and says why.
    const silent = store.isAvailable ? busFault?.() : undefined;
    const staleSince = recordsStaleSince?.() ?? null;
    const found: readonly (ReadinessReason | false)[] = [
      isDraining() && 'draining',
      !store.isAvailable && 'store_unavailable',
      silent !== undefined && 'link_silent',
      staleSince !== null && clock() - staleSince > STALE_MS && 'records_stale',
      !areRecordsWritable && 'records_unwritable',
      (isOverloaded?.() ?? false) && 'overloaded',
    ];
    const reasons = found.filter((reason) => reason !== false);
    return {
      // Without writes to the database conversations go on: visitors sent elsewhere would find the same database.
      isReady: reasons.every((reason) => reason === 'records_unwritable'),
      reasons,
      storeFaults: silent === undefined ? store.faults : [...store.faults, silent],
    };
  }
}

/** Readiness of this process. */
export interface Outlook {
  /** True if it should get visitors. */
  readonly isReady: boolean;
  /** Faults of the process. */
  readonly reasons: readonly ReadinessReason[];
  /** Faults of the state store. */
  readonly storeFaults: readonly StoreFault[];
}

interface Question<Answer> {
  readonly clock: MonotonicClock;
  readonly ask: () => Promise<Answer>;
  /** Time for which an answer is cached. Milliseconds. */
  readonly everyMs: number;
  /** Value before the first answer. */
  readonly first: Answer;
  /** Value if asking failed. */
  readonly failed: Answer;
  /** Value while an answer is late, derived from the last one. Default: the last one. */
  readonly late?: (last: Answer) => Answer;
}

/** Cached answer to a question, which is asked on demand, and not again before it was answered. */
class LastAnswer<Answer> {
  readonly #question: Question<Answer>;
  #answer: Answer;
  #answeredAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(question: Question<Answer>) {
    this.#question = question;
    this.#answer = question.first;
  }

  /** Returns the cached answer, or a new one if that comes within `ANSWER_MS`. */
  async look(): Promise<Answer> {
    const { clock, everyMs, late } = this.#question;
    if (this.#asking === null && clock() - this.#answeredAt >= everyMs) this.#asking = this.#ask();
    if (this.#asking !== null)
      await within(this.#asking, ANSWER_MS, () => {
        if (late !== undefined) this.#answer = late(this.#answer);
      });
    return this.#answer;
  }

  async #ask(): Promise<void> {
    const { ask, clock, failed } = this.#question;
    try {
      this.#answer = await ask();
    } catch {
      // Whoever asks is told by the answer.
      this.#answer = failed;
    } finally {
      this.#asking = null;
      this.#answeredAt = clock();
    }
  }
}
