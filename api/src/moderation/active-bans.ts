import type { Ban } from '../records/bans.ts';
import type { BanKind } from '../records/column-values.ts';
import type { BanList, BanTerm } from './bans.ts';
import type { SiteId } from '../domain/ids.ts';

/** Bans in force, in memory. */
export class ActiveBans implements BanList {
  readonly #byTarget = new Map<string, Map<string, Ban>>();

  /** Applies the present state of a ban: new, changed or lifted. */
  apply(ban: Ban, now: number): void {
    const target = targetOf(ban.site, ban.kind, ban.value);
    const bans = this.#byTarget.get(target) ?? new Map<string, Ban>();
    if (holds(ban, now)) bans.set(ban.id, ban);
    else bans.delete(ban.id);
    if (bans.size > 0) this.#byTarget.set(target, bans);
    else this.#byTarget.delete(target);
  }

  /** Returns whether exactly this ban is known. */
  has({ site, kind, value, id }: Ban): boolean {
    return this.#byTarget.get(targetOf(site, kind, value))?.has(id) ?? false;
  }

  /** Drops expired bans. */
  forget(now: number): void {
    for (const bans of [...this.#byTarget.values()]) {
      for (const ban of [...bans.values()]) if (!holds(ban, now)) this.apply(ban, now);
    }
  }

  clear(): void {
    this.#byTarget.clear();
  }

  get size(): number {
    return this.#byTarget.size;
  }

  /** Returns the longest of the bans in force at a time, on this site in this mode or everywhere. */
  findBan(site: SiteId, kind: BanKind, value: string, now: number): BanTerm | null {
    const held = [targetOf(site, kind, value), targetOf(null, kind, value)]
      .flatMap((target) => [...(this.#byTarget.get(target)?.values() ?? [])])
      .filter((ban) => holds(ban, now));
    if (held.length === 0) return null;
    const until = Math.max(...held.map((ban) => ban.until ?? Infinity));
    const isAutomatic = held.every(({ actor }) => actor === 'service');
    return { until: until === Infinity ? null : until, isAutomatic };
  }
}

function holds({ liftedAt, until }: Ban, now: number): boolean {
  return liftedAt === null && (until === null || until > now);
}

function targetOf(site: SiteId | null, kind: BanKind, value: string): string {
  return JSON.stringify([site, kind, value]);
}
