import type { Clock } from '../clock.ts';
import type { SiteId } from '../domain/ids.ts';
import type { Actor, AuditAction } from './column-values.ts';
import type { Database } from './database.ts';
import { nextOf, type Page } from './page.ts';
import type { RecordIds } from './record-ids.ts';
import type { RowCheck } from './row-check.ts';

export interface AuditEntry {
  readonly id: string;
  /** Time of the change, Unix milliseconds. */
  readonly at: number;
  readonly actor: Actor;
  readonly action: AuditAction;
  readonly site: SiteId | null;
  /** Object of the change: an id or an origin, never a secret. */
  readonly subject: string | null;
}

export type NewAuditEntry = Omit<AuditEntry, 'id'>;

/** Adds an entry about a change to the audit trail, in the transaction of the change. */
export type AuditNote = (
  stores: { readonly audit: Pick<AuditRecords, 'add'> },
  action: AuditAction,
  site: SiteId | null,
  subject: string | null,
) => Promise<void>;

/** Returns a function that adds entries about changes of one actor. */
export function auditNoteOf(actor: Actor, clock: Clock): AuditNote {
  return ({ audit }, action, site, subject) => audit.add({ at: clock(), actor, action, site, subject });
}

/** Audit trail: each change with its actor. Entries are added and read, never changed or deleted. */
export class AuditRecords {
  readonly #db: Database;
  readonly #ids: RecordIds;
  readonly #check: RowCheck;

  constructor(db: Database, ids: RecordIds, check: RowCheck) {
    this.#db = db;
    this.#ids = ids;
    this.#check = check;
  }

  async add({ at, actor, action, site, subject }: NewAuditEntry): Promise<void> {
    const id = this.#ids.next('audit');
    await this.#db.insertInto('audit').values({ id, at, actor, action, site_id: site, subject }).execute();
  }

  /** Returns a page of entries, oldest first. `after` is the `next` of the previous page. */
  async list(filter: { readonly after?: string; readonly max: number }): Promise<Page<AuditEntry>> {
    let query = this.#db.selectFrom('audit').selectAll();
    if (filter.after !== undefined) query = query.where('id', '>', filter.after);
    const rows = await query
      .orderBy('id')
      .limit(filter.max + 1)
      .execute();
    const items = this.#check.readable('audit', rows.slice(0, filter.max)).map((row): AuditEntry => ({
      id: row.id,
      at: row.at,
      actor: row.actor,
      action: row.action,
      site: row.site_id as SiteId | null,
      subject: row.subject,
    }));
    return { items, next: nextOf(rows, filter.max) };
  }
}
