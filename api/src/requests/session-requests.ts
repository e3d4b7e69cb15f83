import { agree } from '../admission/consent.ts';
import type { RequestAdmission } from '../admission/request-admission.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { StateStore } from '../state/state-store.ts';
import type { RequestHandlers } from './request-context.ts';

type SessionRequest = Extract<keyof RequestHandlers, `session:${string}`>;

export interface SessionRequestParts {
  readonly admission: RequestAdmission;
  readonly sessions: Sessions;
  readonly store: Pick<StateStore, 'agree'>;
}

/** Handlers of `session:*`. */
export function sessionRequests({
  admission,
  sessions,
  store,
}: SessionRequestParts): Pick<RequestHandlers, SessionRequest> {
  return {
    'session:agree': (context, agreed) => agree(context, agreed, store),
    'session:challenge': (context) => admission.challenge(context),
    'session:prove': (context, { solution }) => admission.prove(context, solution),
    'session:check': () => Promise.resolve({ status: 'here' }),
    'session:close': ({ session }) => sessions.close(session),
  };
}
