import { Refusal } from '../errors.ts';
import type { BanKind } from '../records/column-values.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SiteId } from '../domain/ids.ts';

/** A ban in force. `until` is Unix milliseconds; `null`: until it is lifted. */
export interface BanTerm {
  readonly until: number | null;
  /** True if the service gave it by itself, for reports or for saying the same to many. */
  readonly isAutomatic: boolean;
}

/** Bans in force, in memory: a snapshot that is kept current. */
export interface BanList {
  findBan(site: SiteId, kind: BanKind, value: string, now: number): BanTerm | null;
}

/** Time after which a visitor who is banned without an end may ask again. Milliseconds. */
const ASK_AGAIN_MS = 24 * 60 * 60_000;

/** The bans that are about a visitor as one: until the last is over, automatic only if all are. */
export function banOf(list: BanList, site: SiteId, { addresses, banId }: Visitor, now: number): BanTerm | null {
  const terms = addresses.flat().map((address) => list.findBan(site, 'address', address, now));
  if (banId !== null) terms.push(list.findBan(site, 'ban_id', banId, now));
  return terms.reduce(longer, null);
}

function longer(a: BanTerm | null, b: BanTerm | null): BanTerm | null {
  if (a === null || b === null) return a ?? b;
  const { until } = (a.until ?? Infinity) >= (b.until ?? Infinity) ? a : b;
  return { until, isAutomatic: a.isAutomatic && b.isAutomatic };
}

/** The refusal for a ban, with the time left. */
export function refusalFor({ until }: Pick<BanTerm, 'until'>, now: number): Refusal {
  return new Refusal('banned', { retryAfterMs: until === null ? ASK_AGAIN_MS : Math.max(1, until - now) });
}
