import type { SiteKey } from '@passerby/sdk/protocol';
import type { Visitor } from '../src/domain/visitor.ts';
import type { AddressHash } from '../src/domain/ids.ts';
import type { VisitorFingerprint } from '../src/domain/visitor-fingerprint.ts';

/** Returns the fingerprint of a visitor with that address. */
export function fingerprintFrom(address: string, banId: string | null = null): VisitorFingerprint {
  return { address: address as AddressHash, wider: [], banId };
}

/** Fingerprint of an arbitrary visitor. */
export const FINGERPRINT: VisitorFingerprint = fingerprintFrom('somewhere');

/** Arbitrary visitor. */
export const VISITOR: Visitor = {
  key: 'pk_test_shop' as SiteKey,
  addresses: [[FINGERPRINT.address]],
  banId: null,
  locale: null,
  claimKey: null,
  agreed: { rules: null, ageBand: null },
};
