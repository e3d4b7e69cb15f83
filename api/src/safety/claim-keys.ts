import { importJWK, type CryptoKey } from 'jose';

/** Maximum number of imported keys that are kept: a few hundred bytes each. */
const KEYS_MAX = 1_000;

/** What claims are checked with, imported once and kept for as long as others are not used more. */
export class ClaimKeys {
  /** By public key, least recently used first. */
  readonly #imported = new Map<string, CryptoKey>();
  readonly #max: number;

  constructor(max = KEYS_MAX) {
    this.#max = max;
  }

  /** The key that checks signatures for an Ed25519 public key (base64url of 32 bytes). */
  async find(x: string): Promise<CryptoKey> {
    const key = this.#imported.get(x) ?? ((await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA')) as CryptoKey);
    this.#imported.delete(x);
    this.#imported.set(x, key);
    for (const [oldest] of this.#imported) {
      if (this.#imported.size <= this.#max) break;
      this.#imported.delete(oldest);
    }
    return key;
  }

  /** Number of keys that are kept. */
  get size(): number {
    return this.#imported.size;
  }
}
