import type { Clock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import { auditNoteOf, type AuditEntry, type AuditNote } from '../records/audit.ts';
import type { BanKind, ReportStatus } from '../records/column-values.ts';
import type { Ban } from '../records/bans.ts';
import type { Page } from '../records/page.ts';
import type { Records, Stores } from '../records/records.ts';
import type { Report } from '../records/reports.ts';
import { siteOfMode } from '../sites/site-modes.ts';
import { DEMO_SITE } from '../sites/site-directory.ts';
import type { SiteId } from '../domain/ids.ts';
import { isSaltForgotten } from '../privacy/salts.ts';

/** Maximum duration of a ban by address: after that the salt of its hash is deleted. Milliseconds. */
export const ADDRESS_BAN_MAX_MS = 24 * 60 * 60_000;
/**
 * Maximum duration of a ban with an end: ten years, so that every database and client can represent its end.
 * Milliseconds.
 */
export const BAN_MAX_MS = 10 * 365 * 24 * 60 * 60_000;

/** Ban requested by an operator. */
export interface BanRequest {
  readonly site: SiteId;
  readonly kind: BanKind;
  readonly value: string;
  readonly reason: string;
  /**
   * Duration in milliseconds, at most `BAN_MAX_MS`, by address at most `ADDRESS_BAN_MAX_MS`; `null`: until it is
   * lifted.
   */
  readonly forMs: number | null;
}

/**
 * Operations on reports and bans for operators: list, resolve, ban, lift. Each change is written together with its
 * entry in the audit trail. Refuses `not_found`, and `bad_request` with a message that names the fault.
 */
export class ModerationService {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #note: AuditNote;

  constructor(records: Records, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
    this.#note = auditNoteOf('operator', clock);
  }

  reports(filter: {
    readonly site?: SiteId;
    readonly status?: ReportStatus;
    readonly after?: string;
    readonly max: number;
  }): Promise<Page<Report>> {
    return this.#records.reports.list(filter);
  }

  report(id: string): Promise<Report> {
    return reportIn(this.#records, id);
  }

  /** Resolves a report and deletes its comment and messages. A resolved one stays unchanged. */
  resolve(id: string, resolution: string): Promise<Report> {
    return this.#records.change(async (stores) => {
      const { site } = await reportIn(stores, id);
      if (await stores.reports.resolve(id, resolution, this.#clock())) {
        await this.#note(stores, 'report.resolve', site, id);
      }
      return reportIn(stores, id);
    });
  }

  /** Bans the reported visitor of a report: by the site's ban id for them, or by their address. */
  banReported(id: string, kind: BanKind, forMs: number | null): Promise<Ban> {
    return this.#records.change(async (stores) => {
      const { site, reportedAddress, reportedBanId, createdAt } = await reportIn(stores, id);
      const value = kind === 'ban_id' ? reportedBanId : reportedAddress;
      if (value === null)
        throw new Refusal('bad_request', { message: 'kind: the claims of this visitor had no banId; ban by address.' });
      if (kind === 'address' && isSaltForgotten(createdAt, this.#clock())) {
        throw new Refusal('bad_request', {
          message:
            'kind: the hash of the address in this report has expired, since the report is more than a day old; ban by banId if it has one.',
        });
      }
      return this.#ban(stores, { site, kind, value, reason: id, forMs });
    });
  }

  ban(request: BanRequest): Promise<Ban> {
    return this.#records.change(async (stores) => {
      const { site } = request;
      if (site !== DEMO_SITE.id && (await stores.sites.get(siteOfMode(site))) === undefined)
        throw new Refusal('not_found', { message: 'Unknown site id.' });
      return this.#ban(stores, request);
    });
  }

  /** Returns a page of the bans in force. */
  bans(filter: { readonly after?: string; readonly max: number }): Promise<Page<Ban>> {
    return this.#records.bans.active(this.#clock(), filter);
  }

  /** Lifts a ban. Lifting again changes nothing. */
  lift(id: string): Promise<Ban> {
    return this.#records.change(async (stores) => {
      const { site } = await banIn(stores, id);
      if (await stores.bans.lift(id, this.#clock())) await this.#note(stores, 'ban.lift', site, id);
      return banIn(stores, id);
    });
  }

  audit(filter: { readonly after?: string; readonly max: number }): Promise<Page<AuditEntry>> {
    return this.#records.audit.list(filter);
  }

  async #ban(stores: Stores, { forMs, ...asked }: BanRequest): Promise<Ban> {
    if (asked.kind === 'address' && (forMs === null || forMs > ADDRESS_BAN_MAX_MS)) {
      throw new Refusal('bad_request', { message: 'forMs: at most a day (86400000) for a ban by address.' });
    }
    if (forMs !== null && forMs > BAN_MAX_MS) {
      throw new Refusal('bad_request', { message: 'forMs: at most ten years (315360000000), or null.' });
    }
    const now = this.#clock();
    const ban = await stores.bans.add({
      ...asked,
      actor: 'operator',
      createdAt: now,
      until: forMs === null ? null : now + forMs,
    });
    await this.#note(stores, 'ban.add', asked.site, ban.id);
    return ban;
  }
}

async function reportIn({ reports }: Pick<Stores, 'reports'>, id: string): Promise<Report> {
  const report = await reports.get(id);
  if (report === undefined) throw new Refusal('not_found', { message: 'Unknown report id.' });
  return report;
}

async function banIn({ bans }: Pick<Stores, 'bans'>, id: string): Promise<Ban> {
  const ban = await bans.get(id);
  if (ban === undefined) throw new Refusal('not_found', { message: 'Unknown ban id.' });
  return ban;
}
