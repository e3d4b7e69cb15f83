import type { Agreed, SiteKey } from '@passerby/sdk/protocol';
import type { AddressHashes } from './ids.ts';
import type { VisitorFingerprint } from './visitor-fingerprint.ts';

/** Data about a connected visitor that this node keeps beyond the session, until the connection ends. */
export interface Visitor {
  /** The publishable key the page used. */
  readonly key: SiteKey;
  /** Networks of their address, hashed with today's salt and with yesterday's. */
  readonly addresses: readonly [AddressHashes, ...AddressHashes[]];
  /** Site's own identifier of them for bans; `null` without claims. */
  readonly banId: string | null;
  /** Language in the site's claims, as a BCP 47 tag; `null` without. */
  readonly locale: string | null;
  /** Public half of the secret key that signed the claims; `null` without claims. */
  readonly claimKey: string | null;
  /** Consent of the session; before there is one, the age band of the site's claims. */
  agreed: Agreed;
}

/** Returns the fingerprint that the session keeps. */
export function fingerprintOf({ addresses, banId }: Visitor): VisitorFingerprint {
  const [address, ...wider] = addresses[0];
  return { address, wider, banId };
}
