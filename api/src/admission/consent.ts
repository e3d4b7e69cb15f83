import type { RequestPayload, RequestReply } from '@passerby/sdk/protocol';
import type { Visitor } from '../domain/visitor.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import { checkAgreement } from './policy-checks.ts';

/** Notes what a visitor agrees to. A band stays with the session. */
export async function agree(
  session: SessionRef,
  agreed: RequestPayload<'session:agree'>,
  visitor: Visitor,
  { store, sites }: { readonly store: StateStore; readonly sites: SiteDirectory },
): Promise<RequestReply<'session:agree'>> {
  const policy = sites.byId(session.site)?.policy;
  if (policy !== undefined) checkAgreement(policy, agreed);
  visitor.agreed = await store.agree(session, agreed);
  return { status: 'agreed' };
}
