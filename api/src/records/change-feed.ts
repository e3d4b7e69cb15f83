import type { MonotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { failureReason } from './database-failure.ts';
import type { Changes, Records } from './records.ts';
import { isSameRevision, type Revision } from './revisions.ts';

/** Interval at which the revision is polled: a revoked key stops working a moment later. Milliseconds. */
const POLL_MS = 300;
/** Maximum duration of a poll: several deadlines of the records, which end it long before. Milliseconds. */
const POLL_MAX_MS = 30_000;
/**
 * Interval at which everything is read anew, whatever the revision says: what was read while a database was being put
 * back, or was changed by hand, does not stay wrong. Milliseconds.
 */
const FULL_READ_MS = 5 * 60_000;
/** Time without an answer after which what is known counts as out of date: several polls. Milliseconds. */
const STALE_MS = 2_000;

export interface ChangeFeedParts {
  readonly records: Pick<Records, 'revision' | 'changedSince'>;
  readonly clock: MonotonicClock;
  readonly log: Log;
  /** Applies what changed since the last call; everything there is, on the first. */
  readonly apply: (changes: Changes) => void;
  /** Called after every poll, whether anything changed or not. */
  readonly polled: () => void;
  /** Replaces `POLL_MAX_MS`. */
  readonly pollMaxMs?: number;
}

/** Polls the records for changes, and hands them on in order. While the records fail nothing is handed on. */
export class ChangeFeed {
  readonly #parts: ChangeFeedParts;
  /** Revision up to which everything was handed on; `null` before the first read. */
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
   * Time as of which the records are known, if that is too long ago; `null` while all is well. As `clock` tells it: when
   * the last poll that was answered began.
   */
  staleSince(): number | null {
    return this.#parts.clock() - this.#seenAt > STALE_MS ? this.#seenAt : null;
  }

  /** Polls again and again, from now on until `close`. */
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

  /** Polls once. One poll at a time: a call during one returns that one. Never rejects. */
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
      this.#parts.log.error(fields, 'sites cannot be looked up');
    }
    this.#parts.polled();
  }

  /** Reads what changed, all there is the first time, and hands it on. Rejects if it cannot, after `POLL_MAX_MS` at the latest. */
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

  /** `null` if there are none. */
  async #changes(known: Revision | null): Promise<Changes | null> {
    const { records } = this.#parts;
    if (known !== null && isSameRevision(known, await records.revision())) return null;
    return records.changedSince(known);
  }
}

function late(): never {
  throw Object.assign(new Error('Too late'), { code: 'LOOK_TIMEOUT' });
}
