import { networksOf } from '../privacy/client-address.ts';
import { timesAt } from '../limits/rate-limits.ts';

/** Counts what each network of an address has open at once, such as connections. */
export class NetworkCounts {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  /** `max` is the limit of the narrowest network of an address. A wider one may have `timesAt` as many. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Returns whether one of the networks of the address has reached its limit. */
  isFull(address: string): boolean {
    return networksOf(address).some((network, step) => (this.#open.get(network) ?? 0) >= this.#max * timesAt(step));
  }

  /** Counts one more, even beyond the limit. Returns a function that undoes it. */
  add(address: string): () => void {
    const networks = networksOf(address);
    for (const network of networks) this.#open.set(network, (this.#open.get(network) ?? 0) + 1);
    return () => {
      for (const network of networks) {
        const left = (this.#open.get(network) ?? 0) - 1;
        if (left > 0) this.#open.set(network, left);
        else this.#open.delete(network);
      }
    };
  }

  /** Number of networks with something open. */
  get size(): number {
    return this.#open.size;
  }
}
