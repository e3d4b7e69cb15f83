import type { Agreed, Policy, RequestPayload, Rules } from '../protocol/index.ts';

/** Consent of a visitor: the version of the rules, an age band, or both. */
export type Agreement = RequestPayload<'session:agree'>;

/** Consent that the visitor still has to give before the first search. */
export interface NeededAgreement {
  readonly rules: Rules | null;
  /** Empty: there is no band to choose, or one was chosen. */
  readonly ageBands: readonly string[];
}

/** Returns the consent that the site requires and this visitor has not given; none while the policy is unknown. */
export function needsAgreement({
  policy,
  agreed,
}: {
  readonly policy: Policy | null;
  readonly agreed: Agreed | null;
}): NeededAgreement {
  const rules = policy?.rules ?? null;
  return {
    rules: rules !== null && rules.version !== agreed?.rules ? rules : null,
    ageBands: (agreed?.ageBand ?? null) === null ? (policy?.ageBands ?? []) : [],
  };
}

/**
 * Returns the consent given on this page that a session does not know: the same answers again, as far as
 * the site still asks for them in that version. `null` if there are none.
 */
export function agreementToRepeat(given: Agreed, policy: Policy, agreed: Agreed): Agreement | null {
  const { rules, ageBands } = needsAgreement({ policy, agreed });
  const again = {
    ...(given.rules !== null && rules?.version === given.rules && { rules: given.rules }),
    ...(given.ageBand !== null && ageBands.includes(given.ageBand) && { ageBand: given.ageBand }),
  };
  return Object.keys(again).length === 0 ? null : again;
}

export function withAgreement(agreed: Agreed | null, { rules, ageBand }: Agreement): Agreed {
  return { rules: rules ?? agreed?.rules ?? null, ageBand: ageBand ?? agreed?.ageBand ?? null };
}
