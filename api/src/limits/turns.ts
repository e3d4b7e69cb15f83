import { performance } from 'node:perf_hooks';

/** What has something to do in a later turn. */
export interface Waiting {
  /** Does the next thing. Returns whether there is another one. */
  doNext(): boolean;
}

/**
 * Time for what strangers ask in one turn of the event loop, whoever they are. What takes longer waits for the next turn:
 * in between, timers, answers of stores and the rest get theirs. Hundreds of packets are read in this time. Milliseconds.
 */
const TURN_MS = 8;

/**
 * Spreads work over turns of the event loop, so that no number of connections makes a turn longer than `TURN_MS` and one
 * piece of work: who waits, waits in order, and has one piece done in a turn. Each piece is done in a callback of its own,
 * so that what it puts into microtasks counts as well.
 */
export class Turns {
  readonly #turnMs: number;
  #waiting: Waiting[] = [];
  /** When the first piece of the present turn began; `null` before. What came before it in the turn does not count. */
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

  /** Whether something may be done at once. Whoever is told so does it. */
  mayBegin(): boolean {
    if (this.#waiting.length > 0 || this.#isOver()) return false;
    this.#begunAt ??= performance.now();
    this.#expectNext();
    return true;
  }

  /** Calls `doNext` in a later turn, once for each time it has more. Not for who waits already. */
  wait(waiting: Waiting): void {
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

  /** The first one in a turn always gets its piece, however late it is. */
  #doOne(): void {
    const waiting = this.#isOver() ? undefined : this.#waiting.shift();
    if (waiting === undefined) return;
    this.#begunAt ??= performance.now();
    if (waiting.doNext()) this.#waiting.push(waiting);
  }
}
