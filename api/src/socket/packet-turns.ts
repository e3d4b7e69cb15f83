import { performance } from 'node:perf_hooks';

/** What has packets for a later turn. */
export interface Waiting {
  /** Reads the oldest packet. Returns whether there is another one. */
  readNext(): boolean;
}

/**
 * Time for reading packets in one turn of the event loop, whoever sends them. What takes longer waits for the next turn:
 * in between, everybody else is served. A busy process reads hundreds in this time. Milliseconds.
 */
const TURN_MS = 8;

/**
 * Spreads the reading of packets over turns of the event loop: one packet of a connection in each, connections in the
 * order in which they have waited, for no longer than `TURN_MS`. Each packet is read in a callback of its own, since
 * Socket.IO handles it in the microtasks after that.
 */
export class PacketTurns {
  #waiting: Waiting[] = [];
  #begunAt: number | null = null;
  #turn = 0;

  /** Number of the present turn. */
  get turn(): number {
    return this.#turn;
  }

  /** Whether a packet may be read at once. Whoever is told so reads one. */
  mayRead(): boolean {
    if (this.#waiting.length > 0 || this.#isOver()) return false;
    this.#begin();
    return true;
  }

  /** Calls `readNext` in a later turn. Not for who waits already. */
  wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#begin();
  }

  #isOver(): boolean {
    return this.#begunAt !== null && performance.now() - this.#begunAt > TURN_MS;
  }

  #begin(): void {
    if (this.#begunAt !== null) return;
    this.#begunAt = performance.now();
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#turn += 1;
    this.#begunAt = null;
    const { length } = this.#waiting;
    if (length === 0) return;
    this.#begunAt = performance.now();
    for (let count = length; count > 0; count--) setImmediate(() => this.#readOne());
    // After those: the next turn.
    setImmediate(() => this.#next());
  }

  #readOne(): void {
    const waiting = this.#isOver() ? undefined : this.#waiting.shift();
    if (waiting?.readNext()) this.#waiting.push(waiting);
  }
}
