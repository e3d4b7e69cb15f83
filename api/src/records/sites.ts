import type { SiteId } from '../state/state-store.ts';
import { together, type Database } from './database.ts';
import { keyOf, type KeyRecord } from './keys.ts';
import { raiseRevision, touchSite } from './revisions.ts';

/** A site with all that belongs to it. */
export interface SiteRecord {
  /** Also the id of its live side. */
  readonly id: SiteId;
  readonly name: string;
  readonly isDisabled: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** As they were written, in the order they were added. */
  readonly origins: readonly string[];
  /** JSON text, as it was given: `sites/` knows what it means. */
  readonly policy: string;
  /** All there ever were, oldest first: those that are good and those that are not. */
  readonly keys: readonly KeyRecord[];
}

export type NewSite = Pick<SiteRecord, 'id' | 'name' | 'createdAt' | 'origins' | 'policy'>;

/** Sites, their origins and their policies. Every change raises the revision. */
export class SiteRecords {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async get(id: SiteId): Promise<SiteRecord | undefined> {
    const [site] = await readSites(this.#db, { id });
    return site;
  }

  /** All, oldest first. */
  list(): Promise<readonly SiteRecord[]> {
    return readSites(this.#db, {});
  }

  /** The site must be new. */
  add(site: NewSite): Promise<void> {
    return together(this.#db, async (db) => {
      const revision = await raiseRevision(db);
      const { id, name, createdAt } = site;
      await db.insertInto('sites').values({ id, name, is_disabled: 0, created_at: createdAt, revision }).execute();
      await db.insertInto('policies').values({ site_id: id, policy: site.policy }).execute();
      await insertOrigins(db, id, site.origins);
    });
  }

  /** Whether the site is there. */
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

  /** Whether the site is there. */
  setPolicy(id: SiteId, policy: string): Promise<boolean> {
    return this.#change(id, async (db) => {
      await db.updateTable('policies').set({ policy }).where('site_id', '=', id).execute();
    });
  }

  /** Replaces the whole list. Whether the site is there. */
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

/** Sites whole: all of them, one, or those that changed after a revision. */
export async function readSites(
  db: Database,
  which: { readonly id?: SiteId; readonly after?: number | null },
): Promise<readonly SiteRecord[]> {
  let query = db.selectFrom('sites').innerJoin('policies', 'policies.site_id', 'sites.id').selectAll('sites');
  if (which.id !== undefined) query = query.where('sites.id', '=', which.id);
  if (typeof which.after === 'number') query = query.where('sites.revision', '>', which.after);
  const sites = await query.select('policies.policy').orderBy('sites.created_at').orderBy('sites.id').execute();
  if (sites.length === 0) return [];

  const chosen = db.selectFrom('sites').select('sites.id');
  const ids =
    which.id !== undefined
      ? chosen.where('sites.id', '=', which.id)
      : chosen.where('sites.revision', '>', which.after ?? -1);
  const origins = await db.selectFrom('origins').selectAll().where('site_id', 'in', ids).orderBy('position').execute();
  const keys = await db.selectFrom('keys').selectAll().where('site_id', 'in', ids).orderBy('id').execute();
  const originsOf = bySite(origins);
  const keysOf = bySite(keys);
  return sites.map((row) => ({
    id: row.id as SiteId,
    name: row.name,
    isDisabled: row.is_disabled === 1,
    createdAt: row.created_at,
    origins: (originsOf.get(row.id) ?? []).map(({ origin }) => origin),
    policy: row.policy,
    keys: (keysOf.get(row.id) ?? []).map(keyOf),
  }));
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
