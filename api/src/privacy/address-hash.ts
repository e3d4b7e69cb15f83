import { createHmac } from 'node:crypto';
import { networksOf } from './client-address.ts';
import type { AddressHash, AddressHashes, SiteId } from '../domain/ids.ts';
import type { Salts } from './salts.ts';

/** 132 bits of base64url: no two addresses share one by chance. */
const HASH_CHARS = 22;

/** All hashes of one address: today's, then yesterday's. */
export type KnownHashes = readonly [AddressHashes, ...AddressHashes[]];

/**
 * Turns where a visitor comes from into words that tell two of them apart for a day, and say nothing about either to
 * who does not have that day's salt: one word for each network of the address.
 */
export class AddressHasher {
  readonly #salts: Salts;

  constructor(salts: Salts) {
    this.#salts = salts;
  }

  /** Under the present salt. `''` as site is for what belongs to none, such as the operators' API. */
  hash(address: string, site: SiteId | ''): AddressHashes {
    return hashed(this.#salts.known()[0], networksOf(address), site);
  }

  /** Every hash the address may have been noted under: today's, then yesterday's. */
  hashes(address: string, site: SiteId | ''): KnownHashes {
    return this.follow(address, site)();
  }

  /** The same at the time of each call; made again only when a salt has changed. */
  follow(address: string, site: SiteId | ''): () => KnownHashes {
    const networks = networksOf(address);
    let salts: readonly string[] = [];
    let hashes: KnownHashes | null = null;
    return () => {
      const known = this.#salts.known();
      if (hashes === null || known.length !== salts.length || known.some((salt, index) => salt !== salts[index])) {
        const [today, ...before] = known;
        hashes = [hashed(today, networks, site), ...before.map((salt) => hashed(salt, networks, site))];
        salts = known;
      }
      return hashes;
    };
  }
}

function hashed(salt: string, networks: readonly [string, ...string[]], site: SiteId | ''): AddressHashes {
  const hashOf = (network: string) =>
    createHmac('sha256', salt).update(`${site}\0${network}`).digest('base64url').slice(0, HASH_CHARS) as AddressHash;
  const [narrowest, ...wider] = networks;
  return [hashOf(narrowest), ...wider.map(hashOf)];
}
