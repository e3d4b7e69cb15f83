import { importJWK, type CryptoKey } from 'jose';

/** Maximum number of imported keys in the cache: a few hundred bytes each. */
const KEYS_MAX = 1_000;

/** LRU cache of the imported keys that verify claims. */
export class ClaimKeys {
  /** Imported keys by public key, least recently used first. */
  readonly #imported = new Map<string, CryptoKey>();
  readonly #max: number;

  constructor(max = KEYS_MAX) {
    this.#max = max;
  }

  /** Returns the key that verifies signatures for an Ed25519 public key (base64url of 32 bytes). */
  async find(x: string): Promise<CryptoKey> {
    const key = this.#imported.get(x) ?? (await importJWK({ kty: 'OKP', crv: 'Ed25519', x } as const, 'EdDSA'));
    this.#imported.delete(x);
    this.#imported.set(x, key);
    for (const [oldest] of this.#imported) {
      if (this.#imported.size <= this.#max) break;
      this.#imported.delete(oldest);
    }
    return key;
  }

  /** Number of keys in the cache. */
  get size(): number {
    return this.#imported.size;
  }
}
