import type { Clock } from '../clock.ts';
import type { RequestAdmission } from '../admission/request-admission.ts';
import { ticketFor } from '../admission/search-ticket.ts';
import type { BanList } from '../moderation/bans.ts';
import type { Reports } from '../moderation/reports.ts';
import type { NoticeDispatcher } from '../sessions/notice-dispatcher.ts';
import type { Reconciler } from '../sessions/reconciler.ts';
import { type RequestHandlers, rulesOf, whileMatchStands } from './request-context.ts';

export interface ConversationRequestParts {
  readonly admission: RequestAdmission;
  readonly bans: BanList;
  readonly dates: Clock;
  readonly dispatcher: NoticeDispatcher;
  readonly reconciler: Reconciler;
  readonly reports: Reports;
}

/** Handlers of `conversation:*`. */
export function conversationRequests(
  parts: ConversationRequestParts,
): Pick<RequestHandlers, 'conversation:leave' | 'conversation:block' | 'conversation:report'> {
  const { admission, dispatcher, reconciler, reports } = parts;
  return {
    'conversation:leave': async (context, { conversationId, next }) => {
      const { session } = context;
      if (next !== undefined) admission.admitSearch(context);
      const ticket = next === undefined ? null : ticketFor(context, next, parts);
      return whileMatchStands(
        () => dispatcher.leave(session, conversationId, ticket, rulesOf(context)),
        (reply) => reply.next === 'matched',
        () => reconciler.isSeated(session, conversationId),
      );
    },
    'conversation:block': ({ session }, { conversationId }) => dispatcher.block(session, conversationId),
    'conversation:report': async (context, report) => {
      await admission.admitReport(context);
      return reports.report(context.session.ref, report, context.site?.policy.history === 'reports');
    },
  };
}
