import type { SiteKey } from '@passerby/sdk/protocol';
import type { Visitor } from '../src/domain/visitor.ts';
import type { AddressHash } from '../src/domain/ids.ts';
import type { VisitorFingerprint } from '../src/domain/visitor-fingerprint.ts';

/** The mark of somebody from there. */
export function fingerprintFrom(address: string, banId: string | null = null): VisitorFingerprint {
  return { address: address as AddressHash, wider: [], banId };
}

/** The mark of a visitor nobody asks about. */
export const FINGERPRINT: VisitorFingerprint = fingerprintFrom('somewhere');

/** A visitor nobody asks about. */
export const VISITOR: Visitor = {
  key: 'pk_test_shop' as SiteKey,
  addresses: [[FINGERPRINT.address]],
  banId: null,
  locale: null,
  claimKey: null,
  agreed: { rules: null, ageBand: null },
};
