import type { AddressHash, SiteId } from '../domain/ids.ts';

/** Maximum number of texts remembered, over all networks; the least recently said is dropped beyond that. About 10 MB. */
const TEXTS_MAX = 50_000;

interface Said {
  count: number;
  lastAt: number;
}

/**
 * Counts the same text by the wider networks of an address, so that a sender who moves from one /64 to the next does
 * not start from zero. Keeps a count per text and no conversations: `heard` is called once per conversation.
 */
export class TextsByNetwork {
  readonly #memoryMs: number;
  readonly #max: number;
  /** Counts by network and text, least recently said first. */
  readonly #said = new Map<string, Said>();

  /** `memoryMs` is the time after which a text that nobody of the network has sent again is forgotten. */
  constructor(memoryMs: number, max = TEXTS_MAX) {
    this.#memoryMs = memoryMs;
    this.#max = max;
  }

  /** Counts one more conversation with a text, given by its hash. Returns their number. */
  heard(site: SiteId, network: AddressHash, hash: string, now: number): number {
    const key = `${site} ${network} ${hash}`;
    const known = this.#said.get(key);
    const said = known !== undefined && known.lastAt + this.#memoryMs > now ? known : { count: 0, lastAt: now };
    said.count += 1;
    said.lastAt = now;
    this.#said.delete(key);
    this.#said.set(key, said);
    for (const [other, { lastAt }] of this.#said) {
      if (this.#said.size <= this.#max && lastAt + this.#memoryMs > now) break;
      this.#said.delete(other);
    }
    return said.count;
  }

  /** Number of texts remembered. */
  get size(): number {
    return this.#said.size;
  }
}
