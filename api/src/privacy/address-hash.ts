import { createHmac } from 'node:crypto';
import { networksOf } from './client-address.ts';
import type { AddressHash, AddressHashes, SiteId } from '../domain/ids.ts';
import type { Salts } from './salts.ts';

/** Length of a hash: 132 bits as base64url, so that no two addresses share one by chance. */
const HASH_CHARS = 22;

/** All hashes of one address: today's, then yesterday's. */
export type KnownHashes = readonly [AddressHashes, ...AddressHashes[]];

/**
 * Hashes the networks of a visitor's address. The hashes tell visitors apart for a day, and reveal nothing without that
 * day's salt.
 */
export class AddressHasher {
  readonly #salts: Salts;

  constructor(salts: Salts) {
    this.#salts = salts;
  }

  /** Hashes under the present salt. `''` as site is for uses outside any site, such as the operators' API. */
  hash(address: string, site: SiteId | ''): AddressHashes {
    return hashed(this.#salts.known()[0], networksOf(address), site);
  }

  /** Returns every hash the address may be stored under: today's, then yesterday's. */
  hashes(address: string, site: SiteId | ''): KnownHashes {
    return this.follow(address, site)();
  }

  /** Returns a function that gives the hashes as of each call; computed again only when a salt has changed. */
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
