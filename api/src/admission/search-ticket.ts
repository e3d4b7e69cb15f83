import type { FindPayload } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import { ticketFrom, type Ticket } from '../matching/ticket.ts';
import { Refusal } from '../errors.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { Site } from '../sites/site.ts';
import { banOf, refusalFor, type BanList } from '../moderation/bans.ts';
import { hasAgreed, offered } from './policy-checks.ts';

/**
 * Creates the ticket of a search, in the queue of the visitor's age band.
 * @throws Refusal `key_revoked` if the page's key is no longer valid, `banned`, `agreement_needed`.
 */
export function ticketFor(
  { site, session: { visitor } }: { readonly site: Site | undefined; readonly session: { readonly visitor: Visitor } },
  payload: FindPayload,
  { bans, dates }: { readonly bans: BanList; readonly dates: Clock },
): Ticket {
  if (site === undefined || !site.keys.includes(visitor.key)) throw new Refusal('key_revoked');
  const now = dates();
  const ban = banOf(bans, site.id, visitor, now);
  if (ban !== null) throw refusalFor(ban, now);
  if (!hasAgreed(site.policy, visitor.agreed)) throw new Refusal('agreement_needed');
  return ticketFrom(offered(site.policy, visitor.locale, payload), visitor.agreed.ageBand);
}
