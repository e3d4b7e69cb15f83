import type { ConversationId, ReportedMessage, ReportReason } from '@passerby/sdk/protocol';
import type { AddressHash, SiteId } from '../domain/ids.ts';
import type { ReportStatus } from './column-values.ts';
import { DatabaseFailure } from './database-failure.ts';
import type { Database } from './database.ts';
import { nextOf, type Page } from './page.ts';
import type { RecordIds } from './record-ids.ts';
import { type RowCheck, UnreadableRow } from './row-check.ts';
import { readMessages, type Row } from './row-shapes.ts';

/** Report of one visitor about another. */
export interface Report {
  readonly id: string;
  /** Site, in one mode, that it happened on. */
  readonly site: SiteId;
  readonly conversationId: ConversationId;
  readonly reason: ReportReason;
  readonly comment: string | null;
  /** Messages that the reporter attached, kept only until the report is resolved. */
  readonly messages: readonly ReportedMessage[] | null;
  readonly reporter: AddressHash;
  readonly reportedAddress: AddressHash;
  readonly reportedBanId: string | null;
  /** Widest network of the reporter, by which reporters are distinguished; `null` in reports of earlier versions. */
  readonly reporterNetwork: AddressHash | null;
  /** Wider networks of the reported visitor, narrowest first; none for IPv4. */
  readonly reportedNetworks: readonly AddressHash[];
  /**
   * True if it counts towards automatic bans: both confirmed the conversation, and the reported visitor said something
   * in it.
   */
  readonly counts: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly status: ReportStatus;
  /** Resolution by an operator. */
  readonly resolution: string | null;
  readonly resolvedAt: number | null;
}

export type NewReport = Omit<Report, 'id' | 'status' | 'resolution' | 'resolvedAt'>;

/** Retention of comment and messages of an unresolved report, and of reports at all. Milliseconds. */
export const REPORT_WORDS_MS = 30 * 24 * 3_600_000;
export const REPORT_MS = 90 * 24 * 3_600_000;

/** Maximum number of reports that one statement deletes. */
const FORGET_MAX = 1_000;

export class ReportRecords {
  readonly #db: Database;
  readonly #ids: RecordIds;
  readonly #check: RowCheck;

  constructor(db: Database, ids: RecordIds, check: RowCheck) {
    this.#db = db;
    this.#ids = ids;
    this.#check = check;
  }

  /**
   * Adds a report. One per conversation and reporter: adding again changes nothing. Returns the stored one, and whether
   * it is new.
   */
  async add(report: NewReport): Promise<{ readonly report: Report; readonly isNew: boolean }> {
    const id = this.#ids.next('report');
    const { site, conversationId, reporter } = report;
    await this.#db
      .insertInto('reports')
      .values({
        id,
        site_id: site,
        conversation_id: conversationId,
        reason: report.reason,
        comment: report.comment,
        messages: report.messages === null ? null : JSON.stringify(report.messages),
        reporter,
        reported_address: report.reportedAddress,
        reported_ban_id: report.reportedBanId,
        created_at: report.createdAt,
        status: 'open',
        resolution: null,
        resolved_at: null,
        counts: report.counts ? 1 : 0,
        reporter_network: report.reporterNetwork,
        reported_56: report.reportedNetworks[0] ?? null,
        reported_48: report.reportedNetworks[1] ?? null,
      })
      .onConflict((conflict) => conflict.columns(['site_id', 'conversation_id', 'reporter']).doNothing())
      .execute();
    const row = await this.#db
      .selectFrom('reports')
      .selectAll()
      .where('site_id', '=', site)
      .where('conversation_id', '=', conversationId)
      .where('reporter', '=', reporter)
      .executeTakeFirstOrThrow();
    const read = this.#check.read('reports', row);
    // The reporter is told no more than that it failed.
    if (read instanceof UnreadableRow) throw new DatabaseFailure(read.reason, read);
    return { report: reportOf(read), isNew: row.id === id };
  }

  async get(id: string): Promise<Report | undefined> {
    const row = await this.#db.selectFrom('reports').selectAll().where('id', '=', id).executeTakeFirst();
    return row && reportOf(this.#check.one('reports', row));
  }

  /**
   * Counts the different networks from which a network, narrow or wide, was reported since a time (inclusive, Unix
   * milliseconds). Only reports that count.
   */
  async reportersOf(site: SiteId, network: AddressHash, since: number): Promise<number> {
    const { count } = await this.#db
      .selectFrom('reports')
      .select((select) => select.fn.count<number>('reporter_network').distinct().as('count'))
      .where('site_id', '=', site)
      .where((where) =>
        where.or([
          where('reported_address', '=', network),
          where('reported_56', '=', network),
          where('reported_48', '=', network),
        ]),
      )
      .where('counts', '=', 1)
      .where('created_at', '>=', since)
      .executeTakeFirstOrThrow();
    return count;
  }

  /** Returns a page of reports, oldest first. `after` is the `next` of the previous page. */
  async list(filter: {
    readonly site?: SiteId;
    readonly status?: ReportStatus;
    readonly after?: string;
    readonly max: number;
  }): Promise<Page<Report>> {
    let query = this.#db.selectFrom('reports').selectAll();
    if (filter.site !== undefined) query = query.where('site_id', '=', filter.site);
    if (filter.status !== undefined) query = query.where('status', '=', filter.status);
    if (filter.after !== undefined) query = query.where('id', '>', filter.after);
    const rows = await query
      .orderBy('id')
      .limit(filter.max + 1)
      .execute();
    const items = this.#check.readable('reports', rows.slice(0, filter.max)).map(reportOf);
    return { items, next: nextOf(rows, filter.max) };
  }

  /** Resolves an open report and deletes comment and messages. Returns whether there was one. */
  async resolve(id: string, resolution: string, at: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('reports')
      .set({ status: 'resolved', resolution, resolved_at: at, comment: null, messages: null })
      .where('id', '=', id)
      .where('status', '=', 'open')
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /**
   * Deletes comment and messages of reports older than `REPORT_WORDS_MS`, and reports older than `REPORT_MS`;
   * `FORGET_MAX` per statement, so that none misses its deadline.
   */
  async forget(now: number): Promise<void> {
    const old = this.#db
      .selectFrom('reports')
      .select('id')
      .where('created_at', '<', now - REPORT_MS)
      .limit(FORGET_MAX);
    const wordy = this.#db
      .selectFrom('reports')
      .select('id')
      .where('created_at', '<', now - REPORT_WORDS_MS)
      .where((where) => where.or([where('comment', 'is not', null), where('messages', 'is not', null)]))
      .limit(FORGET_MAX);
    const drop = this.#db.deleteFrom('reports').where('id', 'in', old);
    while ((await drop.executeTakeFirstOrThrow()).numDeletedRows >= FORGET_MAX);
    const strip = this.#db.updateTable('reports').set({ comment: null, messages: null }).where('id', 'in', wordy);
    while ((await strip.executeTakeFirstOrThrow()).numUpdatedRows >= FORGET_MAX);
  }
}

function reportOf(row: Row<'reports'>): Report {
  return {
    id: row.id,
    site: row.site_id as SiteId,
    conversationId: row.conversation_id as ConversationId,
    reason: row.reason,
    comment: row.comment,
    messages: row.messages === null ? null : readMessages(row.messages),
    reporter: row.reporter as AddressHash,
    reportedAddress: row.reported_address as AddressHash,
    reportedBanId: row.reported_ban_id,
    createdAt: row.created_at,
    status: row.status,
    resolution: row.resolution,
    resolvedAt: row.resolved_at,
    reporterNetwork: row.reporter_network as AddressHash | null,
    reportedNetworks: [row.reported_56, row.reported_48].filter((network) => network !== null) as AddressHash[],
    counts: row.counts === 1,
  };
}
