import type { SiteId } from '../domain/ids.ts';
import { type Database, together } from './database.ts';
import { keyOf, type KeyRecord } from './keys.ts';
import { raiseRevision, touchSite } from './revisions.ts';
import { type RowCheck, UnreadableRow } from './row-check.ts';

/** Site with all its data. */
export interface SiteRecord {
  /** Id of the site, also in live mode. */
  readonly id: SiteId;
  readonly name: string;
  readonly isDisabled: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Origins as entered, in the order they were added. */
  readonly origins: readonly string[];
  /** Settings as JSON text, as stored: `sites/` interprets it. Empty if there is none. */
  readonly policy: string;
  /** All keys ever made, oldest first, valid or not. */
  readonly keys: readonly KeyRecord[];
}

export type NewSite = Pick<SiteRecord, 'id' | 'name' | 'createdAt' | 'origins' | 'policy'>;

/** Repository of sites, their origins and their policies. Every change raises the revision. */
export class SiteRecords {
  readonly #db: Database;
  readonly #check: RowCheck;

  constructor(db: Database, check: RowCheck) {
    this.#db = db;
    this.#check = check;
  }

  /** Returns a site; `undefined` if it does not exist. Rejects with `UnreadableRow` if it cannot be read. */
  async get(id: SiteId): Promise<SiteRecord | undefined> {
    const { sites, unreadable } = await readSites(this.#db, this.#check, { id });
    if (unreadable[0] !== undefined) throw unreadable[0].why;
    return sites[0];
  }

  /** Returns all readable sites, oldest first. */
  async list(): Promise<readonly SiteRecord[]> {
    return (await readSites(this.#db, this.#check, {})).sites;
  }

  /** Adds a site, which must be new. */
  add(site: NewSite): Promise<void> {
    return together(this.#db, async (db) => {
      const revision = await raiseRevision(db);
      const { id, name, createdAt } = site;
      await db.insertInto('sites').values({ id, name, is_disabled: 0, created_at: createdAt, revision }).execute();
      await db.insertInto('policies').values({ site_id: id, policy: site.policy }).execute();
      await insertOrigins(db, id, site.origins);
    });
  }

  /** Returns whether the site is there. */
  set(id: SiteId, change: { readonly name?: string; readonly isDisabled?: boolean }): Promise<boolean> {
    return this.#change(id, async (db) => {
      const { name, isDisabled } = change;
      if (name !== undefined) await db.updateTable('sites').set({ name }).where('id', '=', id).execute();
      if (isDisabled !== undefined) {
        await db
          .updateTable('sites')
          .set({ is_disabled: Number(isDisabled) })
          .where('id', '=', id)
          .execute();
      }
    });
  }

  /** Returns whether the site is there. */
  setPolicy(id: SiteId, policy: string): Promise<boolean> {
    return this.#change(id, async (db) => {
      await db
        .insertInto('policies')
        .values({ site_id: id, policy })
        .onConflict((conflict) => conflict.column('site_id').doUpdateSet({ policy }))
        .execute();
    });
  }

  /** Replaces the whole list. Returns whether the site exists. */
  setOrigins(id: SiteId, origins: readonly string[]): Promise<boolean> {
    return this.#change(id, async (db) => {
      await db.deleteFrom('origins').where('site_id', '=', id).execute();
      await insertOrigins(db, id, origins);
    });
  }

  #change(id: SiteId, work: (db: Database) => Promise<void>): Promise<boolean> {
    return together(this.#db, async (db) => {
      const isThere = await touchSite(db, id);
      if (isThere) await work(db);
      return isThere;
    });
  }
}

async function insertOrigins(db: Database, id: SiteId, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const rows = origins.map((origin, position) => ({ site_id: id, origin, position }));
  await db.insertInto('origins').values(rows).execute();
}

/** Sites that were read, and those that cannot be read. */
export interface ReadSites {
  readonly sites: readonly SiteRecord[];
  /** Unreadable sites; `id` is `null` if not even that can be read. */
  readonly unreadable: readonly { readonly id: SiteId | null; readonly why: UnreadableRow }[];
}

/**
 * Reads complete sites: all of them, one, or those that changed after a revision. Unreadable origins and keys are left
 * out.
 */
export async function readSites(
  db: Database,
  check: RowCheck,
  which: { readonly id?: SiteId; readonly after?: number | null },
): Promise<ReadSites> {
  let query = db.selectFrom('sites').leftJoin('policies', 'policies.site_id', 'sites.id').selectAll('sites');
  if (which.id !== undefined) query = query.where('sites.id', '=', which.id);
  if (typeof which.after === 'number') query = query.where('sites.revision', '>', which.after);
  const rows = await query.select('policies.policy').orderBy('sites.created_at').orderBy('sites.id').execute();
  if (rows.length === 0) return { sites: [], unreadable: [] };

  const chosen = db.selectFrom('sites').select('sites.id');
  const ids =
    which.id !== undefined
      ? chosen.where('sites.id', '=', which.id)
      : chosen.where('sites.revision', '>', which.after ?? -1);
  const origins = await db.selectFrom('origins').selectAll().where('site_id', 'in', ids).orderBy('position').execute();
  const keys = await db.selectFrom('keys').selectAll().where('site_id', 'in', ids).orderBy('id').execute();
  const originsOf = bySite(check.readable('origins', origins));
  const keysOf = bySite(check.readable('keys', keys));
  const sites: SiteRecord[] = [];
  const unreadable: { id: SiteId | null; why: UnreadableRow }[] = [];
  for (const row of rows) {
    const site = check.read('sites', row);
    if (site instanceof UnreadableRow) {
      unreadable.push({ id: typeof row.id === 'string' ? (row.id as SiteId) : null, why: site });
      continue;
    }
    sites.push({
      id: site.id as SiteId,
      name: site.name,
      isDisabled: site.is_disabled === 1,
      createdAt: site.created_at,
      origins: (originsOf.get(site.id) ?? []).map(({ origin }) => origin),
      policy: typeof row.policy === 'string' ? row.policy : '',
      keys: (keysOf.get(site.id) ?? []).map(keyOf),
    });
  }
  return { sites, unreadable };
}

function bySite<Row extends { readonly site_id: string }>(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.site_id);
    if (group === undefined) groups.set(row.site_id, [row]);
    else group.push(row);
  }
  return groups;
}
