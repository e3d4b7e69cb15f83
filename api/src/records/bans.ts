import type { SiteId } from '../domain/ids.ts';
import type { Actor, BanKind } from './column-values.ts';
import { type Database, together } from './database.ts';
import { nextOf, type Page } from './page.ts';
import type { RecordIds } from './record-ids.ts';
import { raiseRevision } from './revisions.ts';
import type { RowCheck } from './row-check.ts';
import { asEnd, type Row } from './row-shapes.ts';

export interface Ban {
  readonly id: string;
  /** Site in one mode that the ban applies to; `null`: everywhere. */
  readonly site: SiteId | null;
  /** Kind of `value`: an `AddressHash`, or a ban id out of a site's claims. */
  readonly kind: BanKind;
  readonly value: string;
  /** Reason, shown to operators. */
  readonly reason: string;
  /** Actor who imposed it; `service`: automatically, after reports or for sending the same text to many. */
  readonly actor: Actor;
  /** Time of the ban, Unix milliseconds, as are the others. */
  readonly createdAt: number;
  /** End of the ban; `null`: until it is lifted. */
  readonly until: number | null;
  readonly liftedAt: number | null;
}

export type NewBan = Omit<Ban, 'id' | 'liftedAt'>;

/** Repository of bans. Every change raises the revision. */
export class BanRecords {
  readonly #db: Database;
  readonly #ids: RecordIds;
  readonly #check: RowCheck;

  constructor(db: Database, ids: RecordIds, check: RowCheck) {
    this.#db = db;
    this.#ids = ids;
    this.#check = check;
  }

  add(ban: NewBan): Promise<Ban> {
    return together(this.#db, async (db) => {
      const revision = await raiseRevision(db);
      const id = this.#ids.next('ban');
      const { site, kind, value, reason, actor, createdAt, until } = ban;
      await db
        .insertInto('bans')
        .values({
          id,
          site_id: site,
          kind,
          value,
          reason,
          actor,
          created_at: createdAt,
          until,
          lifted_at: null,
          revision,
        })
        .execute();
      return { ...ban, id, liftedAt: null };
    });
  }

  async get(id: string): Promise<Ban | undefined> {
    const row = await this.#db.selectFrom('bans').selectAll().where('id', '=', id).executeTakeFirst();
    return row && banOf(this.#check.one('bans', row));
  }

  /** Lifts a ban. Returns whether there was one that had not been lifted. */
  lift(id: string, at: number): Promise<boolean> {
    return together(this.#db, async (db) => {
      const revision = await raiseRevision(db);
      const { numUpdatedRows } = await db
        .updateTable('bans')
        .set({ lifted_at: at, revision })
        .where('id', '=', id)
        .where('lifted_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    });
  }

  /** Time at which a ban on this value was last lifted, Unix milliseconds; `null` if none was. */
  async lastLift(site: SiteId, kind: BanKind, value: string): Promise<number | null> {
    const { at } = await this.#db
      .selectFrom('bans')
      .select((select) => select.fn.max('lifted_at').as('at'))
      .where('site_id', '=', site)
      .where('kind', '=', kind)
      .where('value', '=', value)
      .executeTakeFirstOrThrow();
    return typeof at === 'number' ? at : null;
  }

  /** Returns a page of the bans in force at a time, oldest first. `after` is the `next` of the previous page. */
  active(now: number, filter: { readonly after?: string; readonly max: number }): Promise<Page<Ban>> {
    return pageOf(inForce(this.#db, now), filter, this.#check);
  }

  /** Returns a page of all bans, lifted and expired ones too, oldest first. `after` is the `next` of the previous page. */
  list(filter: { readonly site?: SiteId; readonly after?: string; readonly max: number }): Promise<Page<Ban>> {
    let query = bansIn(this.#db);
    if (filter.site !== undefined) query = query.where('site_id', '=', filter.site);
    return pageOf(query, filter, this.#check);
  }
}

/** Reads the bans that were added or lifted after a revision; after `null` all those in force. */
export async function readBans(
  db: Database,
  check: RowCheck,
  after: number | null,
  now: number,
): Promise<readonly Ban[]> {
  const query = after === null ? inForce(db, now) : bansIn(db).where('revision', '>', after);
  return check.readable('bans', await query.orderBy('id').execute()).map(banOf);
}

function bansIn(db: Database) {
  return db.selectFrom('bans').selectAll();
}

function inForce(db: Database, now: number): BanQuery {
  return bansIn(db)
    .where('lifted_at', 'is', null)
    .where((where) => where.or([where('until', 'is', null), where('until', '>', now)]));
}

type BanQuery = ReturnType<typeof bansIn>;

async function pageOf(
  query: BanQuery,
  { after, max }: { readonly after?: string; readonly max: number },
  check: RowCheck,
): Promise<Page<Ban>> {
  const following = after === undefined ? query : query.where('id', '>', after);
  const rows = await following
    .orderBy('id')
    .limit(max + 1)
    .execute();
  return { items: check.readable('bans', rows.slice(0, max)).map(banOf), next: nextOf(rows, max) };
}

function banOf(row: Row<'bans'>): Ban {
  return {
    id: row.id,
    site: row.site_id as SiteId | null,
    kind: row.kind,
    value: row.value,
    reason: row.reason,
    actor: row.actor,
    createdAt: row.created_at,
    until: asEnd(row.until),
    liftedAt: row.lifted_at,
  };
}
