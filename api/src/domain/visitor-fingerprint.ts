import type { AddressHash } from './ids.ts';

/**
 * By what a visitor is known beyond their session, for reports and bans; the store hands it back as it got
 * it. No address and no name: a salted hash that means nothing a day later, and what the site's claims say.
 */
export interface VisitorFingerprint {
  readonly address: AddressHash;
  /** Of the wider networks the address is in, narrowest first; none for IPv4. */
  readonly wider: readonly AddressHash[];
  /** The site's own word for a person it may want to shut out; `null` without claims. */
  readonly banId: string | null;
}

/** The widest network of a visitor, by which people are told apart where being many would harm others. */
export function networkOf({ address, wider }: VisitorFingerprint): AddressHash {
  return wider.at(-1) ?? address;
}
