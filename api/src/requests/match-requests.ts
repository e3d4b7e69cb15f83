import type { Clock } from '../clock.ts';
import type { RequestAdmission } from '../admission/request-admission.ts';
import { ticketFor } from '../admission/search-ticket.ts';
import type { BanList } from '../moderation/bans.ts';
import type { Matchmaker } from '../sessions/matchmaker.ts';
import type { Reconciler } from '../sessions/reconciler.ts';
import { type RequestHandlers, rulesOf, whileMatchStands } from './request-context.ts';

export interface MatchRequestParts {
  readonly admission: RequestAdmission;
  readonly bans: BanList;
  readonly dates: Clock;
  readonly matchmaker: Matchmaker;
  readonly reconciler: Reconciler;
}

/** Handlers of `match:*`. */
export function matchRequests(parts: MatchRequestParts): Pick<RequestHandlers, 'match:find' | 'match:cancel'> {
  const { admission, matchmaker, reconciler } = parts;
  return {
    'match:find': async (context, payload) => {
      const { session } = context;
      admission.admitSearch(context);
      const ticket = ticketFor(context, payload, parts);
      return whileMatchStands(
        () => matchmaker.find(session, ticket, rulesOf(context)),
        ({ status }) => status === 'matched',
        () => reconciler.isSeated(session),
      );
    },
    'match:cancel': ({ session }) =>
      whileMatchStands(
        () => matchmaker.cancel(session),
        ({ status }) => status === 'already_matched',
        () => reconciler.isSeated(session),
      ),
  };
}
