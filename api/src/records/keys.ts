import type { SiteId } from '../domain/ids.ts';
import type { KeyKind, KeyMode } from './column-values.ts';
import { type Database, together } from './database.ts';
import { touchSite } from './revisions.ts';
import type { RowCheck } from './row-check.ts';
import { asEnd, type Row } from './row-shapes.ts';

/** Key of a site. It cannot sign: of a secret key only the public half is stored. */
export interface KeyRecord {
  readonly id: string;
  readonly site: SiteId;
  readonly kind: KeyKind;
  readonly mode: KeyMode;
  /** A publishable key itself; of a secret key the Ed25519 public key derived from it, base64url of 32 bytes. */
  readonly value: string;
  /** Text by which people recognise it: the publishable key, or the first 12 and the last 4 characters of a secret one. */
  readonly hint: string;
  readonly createdAt: number;
  /** Time at which it expires; `null`: never. Unix milliseconds. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

export type NewKey = Omit<KeyRecord, 'expiresAt' | 'revokedAt'>;

/** Repository of keys. Every change raises the revision, and counts as a change of the site. */
export class KeyRecords {
  readonly #db: Database;
  readonly #check: RowCheck;

  constructor(db: Database, check: RowCheck) {
    this.#db = db;
    this.#check = check;
  }

  async get(id: string): Promise<KeyRecord | undefined> {
    const row = await this.#db.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirst();
    return row && keyOf(this.#check.one('keys', row));
  }

  async byValue(value: string): Promise<KeyRecord | undefined> {
    const row = await this.#db.selectFrom('keys').selectAll().where('value', '=', value).executeTakeFirst();
    return row && keyOf(this.#check.one('keys', row));
  }

  /** Adds a key. The site must exist and the value must be new. */
  add(key: NewKey): Promise<void> {
    return together(this.#db, async (db) => {
      await touchSite(db, key.site);
      const { id, site, kind, mode, value, hint, createdAt } = key;
      await db
        .insertInto('keys')
        .values({
          id,
          site_id: site,
          kind,
          mode,
          value,
          hint,
          created_at: createdAt,
          expires_at: null,
          revoked_at: null,
        })
        .execute();
    });
  }

  /** Makes a key expire. An earlier expiry that is already set stays. */
  expire(key: Pick<KeyRecord, 'id' | 'site'>, at: number): Promise<void> {
    return together(this.#db, async (db) => {
      await touchSite(db, key.site);
      await db
        .updateTable('keys')
        .set({ expires_at: at })
        .where('id', '=', key.id)
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', at)]))
        .execute();
    });
  }

  /** Revokes a key, immediately and permanently. */
  revoke(key: Pick<KeyRecord, 'id' | 'site'>, at: number): Promise<void> {
    return together(this.#db, async (db) => {
      await touchSite(db, key.site);
      await db
        .updateTable('keys')
        .set({ revoked_at: at })
        .where('id', '=', key.id)
        .where('revoked_at', 'is', null)
        .execute();
    });
  }
}

export function keyOf(row: Row<'keys'>): KeyRecord {
  return {
    id: row.id,
    site: row.site_id as SiteId,
    kind: row.kind,
    mode: row.mode,
    value: row.value,
    hint: row.hint,
    createdAt: row.created_at,
    expiresAt: asEnd(row.expires_at),
    revokedAt: row.revoked_at,
  };
}
