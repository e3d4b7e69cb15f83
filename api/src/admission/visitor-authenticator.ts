import type { ResumeToken, SiteKey } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import type { RateLimiter } from '../rate-limiting/rate-limiter.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { Site } from '../sites/site.ts';
import type { AddressHasher } from '../privacy/address-hash.ts';
import { banOf, refusalFor, type BanList } from '../moderation/bans.ts';
import { ClaimKeys } from './claim-keys.ts';
import { verifyClaims } from './visitor-claims.ts';

/** Authenticates visitors by their address and claims. */
export class VisitorAuthenticator {
  readonly #addresses: AddressHasher;
  readonly #bans: BanList;
  readonly #limiter: Pick<RateLimiter, 'consume'>;
  readonly #clock: Clock;
  readonly #claimKeys = new ClaimKeys();

  constructor(addresses: AddressHasher, bans: BanList, limiter: Pick<RateLimiter, 'consume'>, clock: Clock) {
    this.#addresses = addresses;
    this.#bans = bans;
    this.#limiter = limiter;
    this.#clock = clock;
  }

  /**
   * Counts a CONNECT for its address, on all sites together: its cost is the same on each, and falls on this process
   * alone, so the counters are local. Called before any other check. @throws Refusal `rate_limited`.
   */
  async admitConnect(address: string): Promise<void> {
    await this.#limiter.consume('connects', { site: '', address: this.#addresses.hash(address, '') });
  }

  /**
   * Returns the visitor of a page that may use `key`, by their address and the site's claims.
   * @throws Refusal `claims_refused`, `banned`.
   */
  async authenticate(
    site: Site,
    key: SiteKey,
    address: string,
    { claims, resume }: { readonly claims?: string | undefined; readonly resume?: ResumeToken | undefined },
  ): Promise<Visitor> {
    const {
      ageBand,
      locale,
      banId,
      signedWith: claimKey,
    } = await verifyClaims(claims, site, this.#clock, this.#claimKeys);
    const addresses = this.#addresses.follow(address, site.id);
    const visitor: Visitor = {
      key,
      // Anew each time: a connection may outlive the salt it began under.
      get addresses() {
        return addresses();
      },
      banId,
      locale,
      claimKey,
      agreed: { rules: null, ageBand },
    };
    const now = this.#clock();
    const ban = banOf(this.#bans, site.id, visitor, now);
    // Who comes back may be in the middle of a conversation, which such a ban lets be; that is looked at once it is known.
    if (ban !== null && !(ban.isAutomatic && resume !== undefined)) throw refusalFor(ban, now);
    return visitor;
  }
}
