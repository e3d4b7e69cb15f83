import type { SessionId } from '../../domain/ids.ts';

/** Memory of pairs of visitors, either way round, with the time of each. */
export class PairMemory {
  /** Oldest first: a pair goes to the end when it is remembered again. */
  readonly #at = new Map<string, number>();

  remember(a: SessionId, b: SessionId, at: number): void {
    const key = keyOf(a, b);
    this.#at.delete(key);
    this.#at.set(key, at);
  }

  /** Returns whether it was remembered after this moment. */
  has(a: SessionId, b: SessionId, after: number): boolean {
    return (this.#at.get(keyOf(a, b)) ?? Number.NEGATIVE_INFINITY) > after;
  }

  /** Drops what is not younger than this moment. */
  forget(until: number): void {
    for (const [key, at] of this.#at) {
      if (at > until) return;
      this.#at.delete(key);
    }
  }
}

function keyOf(a: SessionId, b: SessionId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
