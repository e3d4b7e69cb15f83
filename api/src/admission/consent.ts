import type { RequestPayload, RequestReply } from '@passerby/sdk/protocol';
import type { Visitor } from '../domain/visitor.ts';
import type { Site } from '../sites/site.ts';
import type { SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import { checkAgreement } from './policy-checks.ts';

/** Stores a visitor's consent. An age band stays with the session. */
export async function agree(
  context: {
    readonly session: { readonly ref: SessionRef; readonly visitor: Visitor };
    readonly site: Site | undefined;
  },
  agreed: RequestPayload<'session:agree'>,
  store: Pick<StateStore, 'agree'>,
): Promise<RequestReply<'session:agree'>> {
  const { session, site } = context;
  if (site !== undefined) checkAgreement(site.policy, agreed);
  session.visitor.agreed = await store.agree(session.ref, agreed);
  return { status: 'agreed' };
}
