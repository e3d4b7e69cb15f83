import type { RequestName, RequestPayload, RequestReply } from '@passerby/sdk/protocol';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../matching/rules.ts';
import type { LocalSession } from '../sessions/local-sessions.ts';
import type { Site } from '../sites/site.ts';

/** Sender of a request, with the site looked up once for all that the request needs of it. */
export interface RequestContext {
  readonly session: LocalSession;
  /** `undefined` for a site that was taken away since the visitor connected. */
  readonly site: Site | undefined;
}

/** Handlers by the name of the request. Exhaustive by its type. */
export type RequestHandlers = {
  readonly [Name in RequestName]: (
    context: RequestContext,
    payload: RequestPayload<Name>,
  ) => Promise<RequestReply<Name>>;
};

/** Rules of the site for who meets whom; the default ones for a site that was taken away. */
export const rulesOf = ({ site }: RequestContext): MatchRules => site?.match ?? DEFAULT_MATCH_RULES;

/**
 * Makes a request that may promise a match. A match that was told to nobody may fall through before it is: then the
 * request is made once more.
 */
export async function whileMatchStands<Value>(
  ask: () => Promise<Value>,
  isMatched: (reply: Value) => boolean,
  isSeated: () => Promise<boolean>,
): Promise<Value> {
  const reply = await ask();
  return !isMatched(reply) || (await isSeated()) ? reply : ask();
}
