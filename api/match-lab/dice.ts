/** Seeded pseudo-random numbers, the same for the same seed on every machine. */
export class Dice {
  #state: number;

  /** Each list of words is a stream of its own, so that one more decision in one of them changes no other. */
  constructor(...seed: readonly (string | number)[]) {
    // FNV-1a, over UTF-16 units, spreads the words over 32 bits.
    let hash = 0x811c9dc5;
    const text = seed.join('/');
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    this.#state = hash >>> 0;
  }

  /** Returns a number from 0 to below 1: mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  isUnder(share: number): boolean {
    return this.next() < share;
  }

  /** Whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** Exponentially distributed whole number with this mean. */
  exponential(mean: number): number {
    return Math.round(-Math.log(1 - this.next()) * mean);
  }

  /** One of `count` ranks from 0 on, the first the most frequent: rank r is drawn in proportion to 1 / (r + 1). */
  zipf(count: number): number {
    let left = this.next() * harmonic(count);
    for (let rank = 0; rank < count; rank++) {
      left -= 1 / (rank + 1);
      if (left < 0) return rank;
    }
    return count - 1;
  }

  /** One of the values, in proportion to its share; the shares need not sum to 1. */
  pick<Value>(shares: readonly Share<Value>[]): Value {
    let left = this.next() * shares.reduce((sum, { share }) => sum + share, 0);
    for (const { share, value } of shares) {
      left -= share;
      if (left < 0) return value;
    }
    return shares.at(-1)!.value;
  }
}

export interface Share<Value> {
  readonly share: number;
  readonly value: Value;
}

const harmonics = new Map<number, number>();

function harmonic(count: number): number {
  let sum = harmonics.get(count);
  if (sum === undefined) {
    sum = 0;
    for (let n = 1; n <= count; n++) sum += 1 / n;
    harmonics.set(count, sum);
  }
  return sum;
}
