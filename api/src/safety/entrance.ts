import type { SiteKey } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import type { Visitor } from '../session/visitor.ts';
import type { Site } from '../sites/site.ts';
import type { AddressHasher } from './address-hash.ts';
import { banOf, refusalFor, type BanList } from './bans.ts';
import { readClaims } from './claims.ts';

/** Who comes in, and what is known of them from then on. */
export class Entrance {
  readonly #addresses: AddressHasher;
  readonly #bans: BanList;
  readonly #clock: Clock;

  constructor(addresses: AddressHasher, bans: BanList, clock: Clock) {
    this.#addresses = addresses;
    this.#bans = bans;
    this.#clock = clock;
  }

  /**
   * A visitor of a page that may use `key`, by where they come from and what the site says of them.
   * @throws Refusal `claims_refused`, `banned`.
   */
  async visitorOf(site: Site, key: SiteKey, address: string, claimsToken: string | undefined): Promise<Visitor> {
    const { ageBand, locale, banId } = await readClaims(claimsToken, site, this.#clock);
    const addresses = this.#addresses.hashes(address, site.id);
    const visitor = { key, addresses, banId, locale, agreed: { rules: null, ageBand } };
    const now = this.#clock();
    const ban = banOf(this.#bans, site.id, visitor, now);
    if (ban !== null) throw refusalFor(ban, now);
    return visitor;
  }
}
