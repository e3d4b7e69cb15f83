import type { ReadinessReason, StoreFault } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';

/** Time for which what the store said stands, however often somebody asks. Milliseconds. */
const STORE_TTL_MS = 1_000;
/** The same of the database, where each probe is a write to the disk. Milliseconds. */
const RECORDS_TTL_MS = 5_000;
/** Time for which either is waited for. Milliseconds. */
const ANSWER_MS = 500;
/** Time for which the records may be out of reach before this process says so. Milliseconds. */
const STALE_MS = 5_000;

/** State of the store, as far as a visitor depends on it. */
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
  /** Why nothing comes through from other processes; `undefined` while it does. */
  readonly busFault?: () => StoreFault | undefined;
  /** Since when the database with the records has not answered, as `clock` tells it; `null` while it does. */
  readonly recordsStaleSince?: () => number | null;
  /** Rejects if the database with the records takes no writes. */
  readonly probeRecords?: (() => Promise<unknown>) | undefined;
  readonly isOverloaded?: () => boolean;
}

/**
 * Decides whether this process should get visitors, and why not. A flood of questions costs the store one call a second, and the
 * database one in `RECORDS_TTL_MS`.
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
  /** Time for which an answer stands. Milliseconds. */
  readonly everyMs: number;
  /** Value before the first answer. */
  readonly first: Answer;
  /** Value if asking failed. */
  readonly failed: Answer;
  /** Value while an answer is late, from the last one, which stands if left out. */
  readonly late?: (last: Answer) => Answer;
}

/** The last answer to a question, which is asked when somebody wants to know, and not again before it was answered. */
class LastAnswer<Answer> {
  readonly #question: Question<Answer>;
  #answer: Answer;
  #answeredAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(question: Question<Answer>) {
    this.#question = question;
    this.#answer = question.first;
  }

  /** Waits for a new answer for `ANSWER_MS` at most. */
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
