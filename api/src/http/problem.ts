import { ERRORS, type Problem } from '@passerby/sdk/protocol';
import type { Refusal } from '../errors.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** A refusal as RFC 9457 problem details. */
export function problemOf(refusal: Refusal): Problem {
  const problem = {
    type: 'about:blank',
    title: refusal.message,
    status: ERRORS[refusal.code].status,
    code: refusal.code,
  };
  return refusal.retryAfterMs === undefined ? problem : { ...problem, retryAfterMs: refusal.retryAfterMs };
}
