import { join } from 'node:path';
import { Kysely } from 'kysely';
import { systemClock, type Clock } from '../clock.ts';
import { AuditRecords } from './audit.ts';
import { BanRecords, readBans, type Ban } from './bans.ts';
import { migrate, revisionOf, together, type Database } from './database.ts';
import { KeyRecords } from './keys.ts';
import { postgresDialect } from './postgres.ts';
import { RecordIds } from './record-ids.ts';
import { ReportRecords } from './reports.ts';
import { readSites, SiteRecords, type SiteRecord } from './sites.ts';
import { sqliteDialect } from './sqlite.ts';
import type { Tables } from './tables.ts';

/** Where records are kept. */
export type RecordsPlace =
  | { readonly kind: 'sqlite'; readonly folder: string }
  /** `url` may hold a password: it is never shown. */
  | { readonly kind: 'postgres'; readonly url: string };

/** The records by topic. */
export interface Stores {
  readonly sites: SiteRecords;
  readonly keys: KeyRecords;
  readonly reports: ReportRecords;
  readonly bans: BanRecords;
  readonly audit: AuditRecords;
  readonly ids: RecordIds;
}

/** What changed after a revision. */
export interface Changes {
  /** Up to where this tells: ask for what came after it next time. */
  readonly revision: number;
  /** Whole, as they are now. */
  readonly sites: readonly SiteRecord[];
  /** Added or lifted ones, as they are now; after 0 only those in force. */
  readonly bans: readonly Ban[];
}

/**
 * What outlives the processes of the service: who may embed the chat, what was reported, who is shut out,
 * and what operators did. Nothing visitors say to each other, but for messages that one handed over with a
 * report. Methods reject with the database's error when it fails.
 */
export interface Records extends Stores {
  readonly kind: RecordsPlace['kind'];
  /** Does all that `work` does with the stores it is given, or nothing. Changes are made one after another. */
  change<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** Rises with every change to sites, origins, policies, keys and bans. One small query. */
  revision(): Promise<number>;
  /** What a directory needs to be current that knows all up to `revision`; 0 for all there is. */
  changedSince(revision: number): Promise<Changes>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The file of the embedded database, in its folder. */
export const SQLITE_FILE = 'passerby.sqlite';

/** Opens the records and brings their tables up to date. Rejects with an `Error` that says why it cannot, without the address. */
export async function openRecords(place: RecordsPlace, clock: Clock = systemClock): Promise<Records> {
  const dialect = place.kind === 'sqlite' ? sqliteDialect(join(place.folder, SQLITE_FILE)) : postgresDialect(place.url);
  const db: Database = new Kysely<Tables>({ dialect });
  const ids = new RecordIds(clock);
  const close = () => db.destroy();
  try {
    await migrate(db);
  } catch (error) {
    await close();
    const { message, code } = error as NodeJS.ErrnoException;
    // Of several addresses that were tried in vain there is a code and no message.
    throw new Error(`the database cannot be opened (${message === '' ? code : message})`, { cause: error });
  }
  return {
    kind: place.kind,
    ...storesOn(db, ids),
    change: (work) =>
      together(db, async (transaction) => {
        // SQLite has one writer anyway; elsewhere this row is what changes queue up at.
        if (place.kind === 'postgres')
          await transaction.selectFrom('revisions').select('value').where('id', '=', 1).forUpdate().execute();
        return work(storesOn(transaction, ids));
      }),
    revision: () => revisionOf(db),
    changedSince: async (since) => {
      // First: what changes meanwhile is told twice rather than never.
      const revision = await revisionOf(db);
      if (revision === since) return { revision, sites: [], bans: [] };
      return { revision, sites: await readSites(db, { after: since }), bans: await readBans(db, since, clock()) };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function storesOn(db: Database, ids: RecordIds): Stores {
  return {
    sites: new SiteRecords(db),
    keys: new KeyRecords(db),
    reports: new ReportRecords(db, ids),
    bans: new BanRecords(db, ids),
    audit: new AuditRecords(db, ids),
    ids,
  };
}
