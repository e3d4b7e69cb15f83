import { Refusal } from '../errors.ts';
import type { BanKind } from '../records/column-values.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SiteId } from '../domain/ids.ts';

/** A ban in force. `until` is Unix milliseconds; `null`: until it is lifted. */
export interface BanTerm {
  readonly until: number | null;
  /** True if the service imposed it by itself, for reports or for spam. */
  readonly isAutomatic: boolean;
}

/** Bans in force, in memory: a snapshot that is kept current. */
export interface BanList {
  findBan(site: SiteId, kind: BanKind, value: string, now: number): BanTerm | null;
}

/** `retryAfterMs` of a ban without an end. Milliseconds. */
const ASK_AGAIN_MS = 24 * 60 * 60_000;

/** Combines all bans of a visitor into one: it ends with the last, and is automatic only if all are. */
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

/** Returns the refusal for a ban, with the time left. */
export function refusalFor({ until }: Pick<BanTerm, 'until'>, now: number): Refusal {
  return new Refusal('banned', { retryAfterMs: until === null ? ASK_AGAIN_MS : Math.max(1, until - now) });
}
