import type { MonotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { failureReason } from './database-failure.ts';
import type { Changes, Records } from './records.ts';
import { isSameRevision, type Revision } from './revisions.ts';

/** Interval at which the revision is polled, and so the delay until a revoked key stops working. Milliseconds. */
const POLL_MS = 300;
/** Maximum duration of a poll: several deadlines of the records, which end it long before. Milliseconds. */
const POLL_MAX_MS = 30_000;
/**
 * Interval of full reads, regardless of the revision: they correct what was read while a database was being restored,
 * or was changed by hand. Milliseconds.
 */
const FULL_READ_MS = 5 * 60_000;
/** Time without an answer after which the known state counts as stale: several polls. Milliseconds. */
const STALE_MS = 2_000;

export interface ChangeFeedParts {
  readonly records: Pick<Records, 'revision' | 'changedSince'>;
  readonly clock: MonotonicClock;
  readonly log: Log;
  /** Applies the changes since the last call; the first call has the complete state. */
  readonly apply: (changes: Changes) => void;
  /** Called after every poll, whether anything changed or not. */
  readonly polled: () => void;
  /** Replaces `POLL_MAX_MS`. */
  readonly pollMaxMs?: number;
}

/** Polls the records for changes, and applies them in order. While the records fail, nothing is applied. */
export class ChangeFeed {
  readonly #parts: ChangeFeedParts;
  /** Revision up to which all changes were applied; `null` before the first read. */
  #revision: Revision | null = null;
  #fullReadAt = -Infinity;
  #seenAt: number;
  #polling: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: ChangeFeedParts) {
    this.#parts = parts;
    this.#seenAt = parts.clock();
  }

  /**
   * Time as of which the records are known, if they are stale; `null` otherwise. The start of the last poll that was
   * answered, by `clock`.
   */
  staleSince(): number | null {
    return this.#parts.clock() - this.#seenAt > STALE_MS ? this.#seenAt : null;
  }

  /** Starts polling, until `close`. */
  follow(): void {
    const again = () => {
      if (this.#isClosed) return;
      this.#timer = setTimeout(() => void this.poll().then(again), POLL_MS);
    };
    again();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Polls once. A call during a poll returns that poll. Never rejects. */
  poll(): Promise<void> {
    this.#polling ??= this.#pollOnce().finally(() => (this.#polling = null));
    return this.#polling;
  }

  async #pollOnce(): Promise<void> {
    try {
      await this.read();
    } catch (thrown) {
      const reason = failureReason(thrown);
      // The next poll is a moment away, the log says each reason once a minute, and the health check since when.
      const fields = reason === undefined ? { error: errorFields(thrown) } : { reason };
      this.#parts.log.error(fields, 'the records of sites cannot be read');
    }
    this.#parts.polled();
  }

  /**
   * Reads the changes, the complete state the first time, and applies them. Rejects on failure, after `POLL_MAX_MS` at
   * the latest.
   */
  async read(): Promise<void> {
    const { clock, apply, pollMaxMs = POLL_MAX_MS } = this.#parts;
    const beganAt = clock();
    const isFullReadDue = beganAt - this.#fullReadAt >= FULL_READ_MS;
    const changes = await within(this.#changes(isFullReadDue ? null : this.#revision), pollMaxMs, late);
    if (changes !== null) {
      apply(changes);
      if (changes.isWhole) this.#fullReadAt = beganAt;
      this.#revision = changes.revision;
    }
    this.#seenAt = beganAt;
  }

  /** Reads the changes since a revision; `null` if there are none. */
  async #changes(known: Revision | null): Promise<Changes | null> {
    const { records } = this.#parts;
    if (known !== null && isSameRevision(known, await records.revision())) return null;
    return records.changedSince(known);
  }
}

function late(): never {
  throw Object.assign(new Error('Too late'), { code: 'LOOK_TIMEOUT' });
}
