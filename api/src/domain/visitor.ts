import type { Agreed, SiteKey } from '@passerby/sdk/protocol';
import type { AddressHashes } from './ids.ts';
import type { VisitorFingerprint } from './visitor-fingerprint.ts';

/** Connected visitor, as far as this node knows them beyond the session; gone with the connection. */
export interface Visitor {
  /** The publishable key the page used. */
  readonly key: SiteKey;
  /** The networks they come from, hashed with today's salt and with yesterday's. */
  readonly addresses: readonly [AddressHashes, ...AddressHashes[]];
  /** The site's own word for them; `null` without claims. */
  readonly banId: string | null;
  /** The language the site's claims name, as a BCP 47 tag; `null` without. */
  readonly locale: string | null;
  /** The public half of the secret key by which the site said so; `null` without claims. */
  readonly claimKey: string | null;
  /** As the session holds it. Before there is one: what the site's claims say. */
  agreed: Agreed;
}

/** As the session keeps it. */
export function fingerprintOf({ addresses, banId }: Visitor): VisitorFingerprint {
  const [address, ...wider] = addresses[0];
  return { address, wider, banId };
}
