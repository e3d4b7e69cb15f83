import { createHmac } from 'node:crypto';
import { addressPrefix } from '../client-address.ts';
import type { AddressHash, SiteId } from '../state/state-store.ts';
import type { Salts } from './salts.ts';

/** 132 bits of base64url: no two addresses share one by chance. */
const HASH_CHARS = 22;

/**
 * Turns where a visitor comes from into a word that tells two of them apart for a day, and says nothing
 * about either to who does not have that day's salt.
 */
export class AddressHasher {
  readonly #salts: Salts;

  constructor(salts: Salts) {
    this.#salts = salts;
  }

  /** Under the present salt. `''` as site is for what belongs to none, such as the operators' API. */
  hash(address: string, site: SiteId | ''): AddressHash {
    return hashed(this.#salts.known()[0], address, site);
  }

  /** Every hash the address may have been noted under: today's, then yesterday's. */
  hashes(address: string, site: SiteId | ''): readonly AddressHash[] {
    return this.#salts.known().map((salt) => hashed(salt, address, site));
  }
}

function hashed(salt: string, address: string, site: SiteId | ''): AddressHash {
  const hmac = createHmac('sha256', salt).update(`${site}\0${addressPrefix(address)}`);
  return hmac.digest('base64url').slice(0, HASH_CHARS) as AddressHash;
}
