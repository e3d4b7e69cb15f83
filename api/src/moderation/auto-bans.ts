import type { Clock } from '../clock.ts';
import { timesAt } from '../limits/rate-limits.ts';
import type { AddressHash, AddressHashes, SiteId } from '../domain/ids.ts';
import type { BanKind } from '../records/column-values.ts';
import type { Records } from '../records/records.ts';
import type { BanList } from './bans.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Duration of an automatic ban, by the number of different networks that reported a visitor within a day; for a wider
 * network of theirs by `timesAt` as many. One or two reports may be spite; the last step is a day, the time for which
 * an address can be recognised.
 */
export const AUTO_BAN_STEPS = [
  { reporters: 3, forMs: 10 * MINUTE_MS },
  { reporters: 5, forMs: 60 * MINUTE_MS },
  { reporters: 8, forMs: DAY_MS },
] as const;

/** Duration of the ban of a visitor who sends the same text to one stranger after the other. Milliseconds. */
const SPAM_MS = 60 * MINUTE_MS;

/** Ban that the service imposes by itself. */
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

/** Repository that counts reports. */
export interface ReportCounts {
  /** Resolves to the number of different networks that reported this one since a time, Unix milliseconds. */
  reportersOf(site: SiteId, network: AddressHash, since: number): Promise<number>;
}

/** Repository of bans. */
export interface BanRepository {
  add(ban: AutoBan): Promise<unknown>;
  /** Time at which a ban on this value was last lifted, Unix milliseconds; `null` if none was. */
  lastLift(site: SiteId, kind: BanKind, value: string): Promise<number | null>;
}

/** Creates a repository that writes bans to the records, each together with its entry in the audit trail. */
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

/** Returns the step for a number of reporters, with all thresholds multiplied by `times`; `null` below the first. */
export function stepFor(reporters: number, times = 1): (typeof AUTO_BAN_STEPS)[number] | null {
  return AUTO_BAN_STEPS.findLast((step) => reporters >= step.reporters * times) ?? null;
}

/** Bans often-reported visitors, and those who send the same text to everybody, for a limited time. */
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

  /**
   * Handles a report: for each network of the reported visitor, the number of reporters within a day decides, or since
   * an operator lifted a ban on it.
   */
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

  /** Handles spam: a visitor sends the same text to many. */
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
