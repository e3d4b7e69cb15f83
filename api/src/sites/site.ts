import type { Policy, SiteKey } from '@passerby/sdk/protocol';
import type { MatchRules } from '../matching/rules.ts';
import type { SiteId } from '../domain/ids.ts';
import type { OriginRule } from './origin-rule.ts';

/** Mode of a site: `live` for visitors, `test` for development, on localhost too. Visitors of the two never meet. */
export type SiteMode = 'live' | 'test';

/** Tenant in one mode: its keys, the origins that may use them, and what its visitors may do. */
export interface Site {
  readonly id: SiteId;
  readonly mode: SiteMode;
  /** Name for operators, never shown to visitors. */
  readonly name: string;
  /** Publishable keys that are valid now. */
  readonly keys: readonly SiteKey[];
  /** Origins that may embed it; empty: none. */
  readonly origins: readonly OriginRule[];
  readonly policy: Policy;
  /** Matching rules. */
  readonly match: MatchRules;
  readonly guard: Guard;
}

/** Requirements of a site for its visitors that their clients need not know. */
export interface Guard {
  /** True if a visitor must come with claims signed by the site. */
  readonly isClaimsNeeded: boolean;
  /** Public halves of the site's secret keys that are valid now: Ed25519, base64url of 32 bytes. */
  readonly claimKeys: readonly string[];
  /** Condition for a proof of work before a search: never, under pressure, or always. */
  readonly proofOfWork: 'never' | 'under_pressure' | 'always';
}
