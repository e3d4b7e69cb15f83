import type { Clock } from '../clock.ts';
import { timesAt } from '../limits/rate-limits.ts';
import type { AddressHash, AddressHashes, SiteId } from '../domain/ids.ts';
import type { BanKind } from '../records/column-values.ts';
import type { Records } from '../records/records.ts';
import type { BanList } from './bans.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Time for which somebody is kept from looking for another one, by the number of different networks they were reported from
 * within a day; a wider network of theirs by `timesAt` as many. One or two may be spite; by the last step it is a day,
 * which is also as long as an address can be known again.
 */
export const AUTO_BAN_STEPS = [
  { reporters: 3, forMs: 10 * MINUTE_MS },
  { reporters: 5, forMs: 60 * MINUTE_MS },
  { reporters: 8, forMs: DAY_MS },
] as const;

/** Time for which a visitor who says the same to one stranger after the other is kept from the next. Milliseconds. */
const SPAM_MS = 60 * MINUTE_MS;

/** A ban that the service gives by itself. */
export interface AutoBan {
  readonly site: SiteId;
  readonly kind: BanKind;
  readonly value: string;
  readonly reason: 'reports' | 'spam';
  readonly actor: 'service';
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly until: number;
}

/** Where reports are counted. */
export interface ReportCounts {
  /** Number of different networks from which this one was reported since then, Unix milliseconds. */
  reportersOf(site: SiteId, network: AddressHash, since: number): Promise<number>;
}

/** Where bans are kept. */
export interface BanRepository {
  add(ban: AutoBan): Promise<unknown>;
  /** When a ban on this was last lifted, Unix milliseconds; `null` if none was. */
  lastLift(site: SiteId, kind: BanKind, value: string): Promise<number | null>;
}

/** Bans in the records, each together with its entry in the audit trail. */
export function auditedBans(records: Pick<Records, 'change' | 'bans'>): BanRepository {
  return {
    add: (ban) =>
      records.change(async ({ bans, audit }) => {
        const { id, site, actor, createdAt } = await bans.add(ban);
        await audit.add({ at: createdAt, actor, action: 'ban.add', site, subject: id });
      }),
    lastLift: (site, kind, value) => records.bans.lastLift(site, kind, value),
  };
}

/** The step for so many reporters, each of which asks for `times` as many; `null` below the first. */
export function stepFor(reporters: number, times = 1): (typeof AUTO_BAN_STEPS)[number] | null {
  return AUTO_BAN_STEPS.findLast((step) => reporters >= step.reporters * times) ?? null;
}

/** Keeps often-reported visitors, and those who say the same to everybody, from meeting others for a while. */
export class AutoBans {
  readonly #counts: ReportCounts;
  readonly #bans: BanRepository;
  readonly #list: BanList;
  readonly #clock: Clock;

  constructor(counts: ReportCounts, bans: BanRepository, list: BanList, clock: Clock) {
    this.#counts = counts;
    this.#bans = bans;
    this.#list = list;
    this.#clock = clock;
  }

  /** Somebody was reported: by how many within a day decides, or since an operator thought better of it, for each of their networks. */
  async reported(site: SiteId, address: AddressHashes): Promise<void> {
    const now = this.#clock();
    for (const [index, network] of address.entries()) {
      const lifted = await this.#bans.lastLift(site, 'address', network);
      // In the same millisecond the report came first.
      const since = Math.max(now - DAY_MS, lifted === null ? 0 : lifted + 1);
      const step = stepFor(await this.#counts.reportersOf(site, network, since), timesAt(index));
      if (step !== null) await this.#banFor(site, network, 'reports', now + step.forMs, now);
    }
  }

  /** Somebody says the same to many. */
  async spammed(site: SiteId, address: AddressHash): Promise<void> {
    const now = this.#clock();
    await this.#banFor(site, address, 'spam', now + SPAM_MS, now);
  }

  async #banFor(
    site: SiteId,
    address: AddressHash,
    reason: AutoBan['reason'],
    until: number,
    now: number,
  ): Promise<void> {
    const present = this.#list.findBan(site, 'address', address, now);
    if (present !== null && (present.until ?? Infinity) >= until - MINUTE_MS) return;
    await this.#bans.add({ site, kind: 'address', value: address, reason, actor: 'service', createdAt: now, until });
  }
}
