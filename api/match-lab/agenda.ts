/** Agenda of events in virtual time: a binary heap, oldest first, in the order of entry within a millisecond. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #nowMs = 0;
  #entered = 0;

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  /** Adds an event that is not before now. */
  at(atMs: number, run: () => Promise<void>): void {
    const entry: Entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#entered++, run };
    let place = this.#heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isEarlier(entry, this.#heap[parent]!)) break;
      this.#heap[place] = this.#heap[parent]!;
      place = parent;
    }
    this.#heap[place] = entry;
  }

  after(ms: number, run: () => Promise<void>): void {
    this.at(this.#nowMs + ms, run);
  }

  /** Runs events until none is left. */
  async run(): Promise<void> {
    for (let entry = this.#take(); entry !== null; entry = this.#take()) {
      this.#nowMs = entry.atMs;
      await entry.run();
    }
  }

  #take(): Entry | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (first === last) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isEarlier(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isEarlier(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => Promise<void>;
}

function isEarlier(a: Entry, b: Entry): boolean {
  return a.atMs - b.atMs < 0 || (a.atMs === b.atMs && a.order < b.order);
}
