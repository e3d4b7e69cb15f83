import { join } from 'node:path';
import { Kysely, type Dialect } from 'kysely';
import { type Clock, systemClock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import { AuditRecords } from './audit.ts';
import { type Ban, BanRecords, readBans } from './bans.ts';
import { RECORDS_BOUNDS, type RecordsBounds } from './bounds.ts';
import { type ConnectionParts, type Database, together } from './database.ts';
import { KeyRecords } from './keys.ts';
import { migrate } from './migrate.ts';
import { isBug } from '../errors.ts';
import { OpeningError } from './opening-error.ts';
import { postgresFailure } from './postgres-failure.ts';
import { withRights } from './postgres-rights.ts';
import { postgresDialect } from './postgres.ts';
import { probe } from './probe.ts';
import { RecordIds } from './record-ids.ts';
import type { RecordsPlace } from './records-place.ts';
import { ReportRecords } from './reports.ts';
import { isSameRevision, leadsTo, type Revision, revisionOf } from './revisions.ts';
import { RowCheck } from './row-check.ts';
import { readSites, type SiteRecord, SiteRecords } from './sites.ts';
import type { SiteId } from '../domain/ids.ts';
import { sqliteFailure } from './sqlite-failure.ts';
import { SqliteFile } from './sqlite-file.ts';
import { sqliteDialect } from './sqlite.ts';
import type { Tables } from './tables.ts';

/** Repositories by topic. */
export interface Stores {
  readonly sites: SiteRecords;
  readonly keys: KeyRecords;
  readonly reports: ReportRecords;
  readonly bans: BanRecords;
  readonly audit: AuditRecords;
  readonly ids: RecordIds;
}

/** Changes after a revision. */
export interface Changes {
  /** Revision up to which these changes are complete, to be passed next time. */
  readonly revision: Revision;
  /** True if this is the complete state, not only the changes. */
  readonly isWhole: boolean;
  /** Changed sites, complete, in their present state. */
  readonly sites: readonly SiteRecord[];
  /** Sites that cannot be read now. The log names their faults. */
  readonly unreadable: readonly SiteId[];
  /** Added or lifted bans in their present state; only those in force if `isWhole`. */
  readonly bans: readonly Ban[];
}

/**
 * Records, which outlive the processes of the service: sites and keys, reports, bans, and the audit trail. Messages of
 * visitors are not among them, except those attached to a report. Methods reject with a `DatabaseFailure` when the
 * database fails, after the deadlines of `RECORDS_BOUNDS` at the latest.
 */
export interface Records extends Stores {
  readonly kind: RecordsPlace['kind'];
  /** Runs `work` with repositories in one transaction: all of its changes or none. Transactions run one after another. */
  change<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /**
   * Returns the present revision, which every change to sites, origins, policies, keys and bans raises. One small
   * query, on a connection of its own.
   */
  revision(): Promise<Revision>;
  /**
   * Returns the changes since `known`. The complete state for `null`, and for a revision that did not lead to the
   * present one, since the database was restored.
   */
  changedSince(known: Revision | null): Promise<Changes>;
  /**
   * Writes a little data that nobody reads. Rejects with a `DatabaseFailure` if the database takes no writes: it is
   * locked, full, read-only or gone.
   */
  probe(): Promise<void>;
  /** Ends what is in progress, and resolves within `closeMs`. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface OpenOptions {
  /** Log for failures of the database, and for waits during a start. */
  readonly log?: Pick<Log, 'warn' | 'error'>;
  readonly bounds?: Partial<RecordsBounds>;
  /** Set to `false` to reject instead of creating a missing embedded database. Default: `true`. */
  readonly isMade?: boolean;
}

/** File name of the embedded database, in its folder. */
export const SQLITE_FILE = 'passerby.sqlite';

/** Opens the records and migrates their tables. Rejects with an `OpeningError`; a bug is passed on as it is. */
export async function openRecords(
  place: RecordsPlace,
  clock: Clock = systemClock,
  options: OpenOptions = {},
): Promise<Records> {
  const { log } = options;
  const bounds = { ...RECORDS_BOUNDS, ...options.bounds };
  const ids = new RecordIds(clock);
  const check = new RowCheck(log);
  const opened: Database[] = [];
  let dialectOf: (parts: ConnectionParts) => Dialect;
  const connect = (special: Partial<RecordsBounds>, failed?: (reason: string) => void): Database => {
    const db = new Kysely<Tables>({ dialect: dialectOf({ bounds: { ...bounds, ...special }, failed }) });
    opened.push(db);
    return db;
  };
  const close = async () => {
    await Promise.all(opened.map((db) => db.destroy()));
  };
  try {
    dialectOf = dialectAt(place, options);
    const once = connect({ connectionsMax: 1, queryMs: bounds.migrationMs, transactionMs: bounds.migrationMs });
    const update = () => migrate(once, { kind: place.kind, bounds, log });
    await (place.kind === 'postgres' ? withRights(once, update) : update());
    await once.destroy();
  } catch (thrown) {
    await close();
    if (isBug(thrown)) throw thrown;
    throw new OpeningError(place, place.kind === 'sqlite' ? sqliteFailure(thrown) : postgresFailure(thrown));
  }
  const noteFailure = (reason: string) => log?.error({ reason }, 'the database failed');
  const db = connect({}, noteFailure);
  // On a connection of its own, so that nobody's writing keeps it waiting: who is banned and what is revoked depends on
  // it. Who asks it says what failed.
  const following = connect({ connectionsMax: 1 });
  // So that a probe that waits for a lock keeps nobody else waiting.
  const probing = place.kind === 'sqlite' ? connect({ connectionsMax: 1 }, noteFailure) : db;
  return {
    kind: place.kind,
    ...storesOn(db, ids, check),
    change: (work) =>
      together(db, async (transaction) => {
        // SQLite has one writer anyway; elsewhere this row is what changes queue up at.
        if (place.kind === 'postgres')
          await transaction.selectFrom('revisions').select('value').where('id', '=', 1).forUpdate().execute();
        return work(storesOn(transaction, ids, check));
      }),
    revision: () => revisionOf(following, check),
    changedSince: async (known) => {
      // First: what changes meanwhile is told twice rather than never.
      const revision = await revisionOf(following, check);
      const isWhole = known === null || !(await leadsTo(following, known, revision));
      if (!isWhole && isSameRevision(known, revision))
        return { revision, isWhole, sites: [], unreadable: [], bans: [] };
      const after = isWhole ? null : known.number;
      const { sites, unreadable } = await readSites(following, check, { after });
      const bans = await readBans(following, check, after, clock());
      return { revision, isWhole, sites, unreadable: unreadable.flatMap(({ id }) => id ?? []), bans };
    },
    probe: () => probe(probing, place.kind),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function dialectAt(place: RecordsPlace, { log, isMade = true }: OpenOptions): (parts: ConnectionParts) => Dialect {
  if (place.kind === 'postgres') return (parts) => postgresDialect(place.url, parts);
  const file = new SqliteFile(join(place.folder, SQLITE_FILE), { isMade });
  for (const warning of file.warnings) log?.warn({}, warning);
  return (parts) => sqliteDialect(file, parts);
}

function storesOn(db: Database, ids: RecordIds, check: RowCheck): Stores {
  return {
    sites: new SiteRecords(db, check),
    keys: new KeyRecords(db, check),
    reports: new ReportRecords(db, ids, check),
    bans: new BanRecords(db, ids, check),
    audit: new AuditRecords(db, ids, check),
    ids,
  };
}
