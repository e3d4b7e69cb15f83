import type { Agreed, FindPayload, Policy } from '@passerby/sdk/protocol';
import { Refusal } from '../errors.ts';

/** Returns whether a visitor has given all consent that the site requires. */
export function hasAgreed({ rules, ageBands }: Policy, agreed: Agreed): boolean {
  if (rules !== null && agreed.rules !== rules.version) return false;
  return ageBands.length === 0 || (agreed.ageBand !== null && ageBands.includes(agreed.ageBand));
}

/**
 * Checks that a consent is valid on this site.
 * @throws Refusal `bad_request` for rules of another version, or an age band the site does not have.
 */
export function checkAgreement({ rules, ageBands }: Policy, agreed: { rules?: string; ageBand?: string }): void {
  const isOther = agreed.rules !== undefined && agreed.rules !== rules?.version;
  const isUnknown = agreed.ageBand !== undefined && !ageBands.includes(agreed.ageBand);
  if (isOther || isUnknown) throw new Refusal('bad_request');
}

/**
 * Returns the criteria that the site offers: other values are dropped, so that a page loaded before a change of policy
 * still finds somebody.
 */
export function offered(policy: Policy, locale: string | null, payload: FindPayload): FindPayload {
  const { interests, languages, topic, ...rest } = payload;
  const named = languages ?? (locale === null ? undefined : [locale]);
  const isTopicFree = policy.topics.length === 0;
  const areInterestsFree = policy.isFreeInterests;
  return {
    ...rest,
    ...(interests !== undefined && { interests: areInterestsFree ? interests : among(policy.interests, interests) }),
    ...(named !== undefined && { languages: policy.languages.length === 0 ? named : among(policy.languages, named) }),
    ...(topic !== undefined && (isTopicFree || policy.topics.includes(topic)) && { topic }),
  };
}

/** Returns the words on the list, compared without case. */
function among(list: readonly string[], words: readonly string[]): readonly string[] {
  const known = new Set(list.map((word) => word.toLowerCase()));
  return words.filter((word) => known.has(word.trim().toLowerCase()));
}
