import type { Policy, SiteKey } from '@passerby/sdk/protocol';
import type { MatchRules } from '../decision/rules.ts';
import type { OriginRule } from './origin-rule.ts';

/** A tenant: who may embed with its key, and what its visitors may do. */
export interface Site {
  readonly key: SiteKey;
  /** For operators; visitors never see it. */
  readonly name: string;
  /** Empty: nobody may embed it. */
  readonly origins: readonly OriginRule[];
  readonly policy: Policy;
  /** Who meets whom. */
  readonly match: MatchRules;
}
