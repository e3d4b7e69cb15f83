import type { FindPayload } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import { ticketFrom, type Ticket } from '../matching/ticket.ts';
import { Refusal } from '../errors.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import { banOf, refusalFor, type BanList } from '../moderation/bans.ts';
import { hasAgreed, offered } from './policy-checks.ts';

/**
 * The ticket of a search, in the line of the visitor's age band.
 * @throws Refusal `key_revoked` if the page's key is no longer good, `banned`, `agreement_needed`.
 */
export function ticketFor(
  payload: FindPayload,
  visitor: Visitor,
  { sites, bans, clock }: { readonly sites: SiteDirectory; readonly bans: BanList; readonly clock: Clock },
): Ticket {
  const site = sites.find(visitor.key);
  if (site === undefined) throw new Refusal('key_revoked');
  const now = clock();
  const ban = banOf(bans, site.id, visitor, now);
  if (ban !== null) throw refusalFor(ban, now);
  if (!hasAgreed(site.policy, visitor.agreed)) throw new Refusal('agreement_needed');
  return ticketFrom(offered(site.policy, visitor.locale, payload), visitor.agreed.ageBand);
}
