import { performance } from 'node:perf_hooks';

/** Holder of work for later turns. */
export interface QueuedWork {
  /** Does one piece of work. Returns whether there is another one. */
  doNext(): boolean;
}

/**
 * Maximum time for the work of visitors in one turn of the event loop, except for one piece; the rest waits for the
 * next turn, so that timers and answers of stores are handled in between. Enough for hundreds of packets. Milliseconds.
 */
const TURN_MS = 8;

/**
 * Spreads work over turns of the event loop, so that a turn does not grow with the number of connections. Work is
 * queued in order, and one piece of each holder is done per turn. Each piece runs in a callback of its own, so that the
 * microtasks it queues count towards the turn.
 */
export class FairScheduler {
  readonly #turnMs: number;
  #waiting: QueuedWork[] = [];
  /** Start of the first piece of the present turn; `null` before it. */
  #begunAt: number | null = null;
  #isNextDue = false;
  #turn = 0;

  constructor(turnMs = TURN_MS) {
    this.#turnMs = turnMs;
  }

  /** Number of the present turn. */
  get turn(): number {
    return this.#turn;
  }

  /** Returns whether a piece of work may be done at once, by the caller. */
  mayBegin(): boolean {
    if (this.#waiting.length > 0 || this.#isOver()) return false;
    this.#begunAt ??= performance.now();
    this.#expectNext();
    return true;
  }

  /** Calls `doNext` in a later turn, and again as long as it returns `true`. Not for a holder that is queued already. */
  wait(waiting: QueuedWork): void {
    this.#waiting.push(waiting);
    this.#expectNext();
  }

  #isOver(): boolean {
    return this.#begunAt !== null && performance.now() - this.#begunAt > this.#turnMs;
  }

  #expectNext(): void {
    if (this.#isNextDue) return;
    this.#isNextDue = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#turn += 1;
    this.#begunAt = null;
    this.#isNextDue = false;
    const { length } = this.#waiting;
    if (length === 0) return;
    for (let count = length; count > 0; count--) setImmediate(() => this.#doOne());
    // After those.
    this.#expectNext();
  }

  /** Does the first piece of a turn in any case, so that work progresses however late the process is. */
  #doOne(): void {
    const waiting = this.#isOver() ? undefined : this.#waiting.shift();
    if (waiting === undefined) return;
    this.#begunAt ??= performance.now();
    if (waiting.doNext()) this.#waiting.push(waiting);
  }
}
