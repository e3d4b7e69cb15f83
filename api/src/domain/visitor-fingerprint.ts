import type { AddressHash } from './ids.ts';

/**
 * Identification of a visitor beyond their session, for reports and bans; the store returns it as it got it. No address
 * and no name: salted hashes that mean nothing a day later, and the ban id of the site's claims.
 */
export interface VisitorFingerprint {
  readonly address: AddressHash;
  /** Hashes of the wider networks of the address, narrowest first; none for IPv4. */
  readonly wider: readonly AddressHash[];
  /** Site's own identifier of a person for bans; `null` without claims. */
  readonly banId: string | null;
}

/**
 * Returns the widest network of a visitor, by which people are distinguished where one person posing as many could harm
 * others.
 */
export function networkOf({ address, wider }: VisitorFingerprint): AddressHash {
  return wider.at(-1) ?? address;
}
