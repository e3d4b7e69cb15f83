import type { Policy, SiteKey } from '@passerby/sdk/protocol';
import type { MatchRules } from '../matching/rules.ts';
import type { SiteId } from '../domain/ids.ts';
import type { OriginRule } from './origin-rule.ts';

/** `live` is for visitors; `test` for trying out, on localhost too. Visitors of the two never meet. */
export type SiteMode = 'live' | 'test';

/** A tenant in one mode: who may embed with its keys, and what its visitors may do. */
export interface Site {
  readonly id: SiteId;
  readonly mode: SiteMode;
  /** For operators; visitors never see it. */
  readonly name: string;
  /** The publishable keys that are good now. */
  readonly keys: readonly SiteKey[];
  /** Empty: nobody may embed it. */
  readonly origins: readonly OriginRule[];
  readonly policy: Policy;
  /** Rules for who meets whom. */
  readonly match: MatchRules;
  readonly guard: Guard;
}

/** Requirements of a site for its visitors that their clients need not know. */
export interface Guard {
  /** True if a visitor must come with claims signed by the site. */
  readonly isClaimsNeeded: boolean;
  /** Public halves of the site's secret keys that are good now: Ed25519, base64url of 32 bytes. */
  readonly claimKeys: readonly string[];
  /** When a visitor has to solve a challenge: never, while there is pressure, or always. */
  readonly proofOfWork: 'never' | 'under_pressure' | 'always';
}
