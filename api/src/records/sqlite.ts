import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import {
  SqliteAdapter,
  SqliteDialect,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely';
import type { RecordsBounds } from './bounds.ts';
import type { ConnectionParts } from './database.ts';
import { DatabaseFailure } from './database-failure.ts';
import { sqliteCodeOf, sqliteFailure } from './sqlite-failure.ts';
import type { SqliteFile } from './sqlite-file.ts';
import { Turns } from './turns.ts';

/** Maximum pause between two attempts while another connection writes, which takes less. Milliseconds. */
const BUSY_PAUSE_MS = 10;
/** SQLite's primary result code for "another connection has the lock". */
const SQLITE_BUSY = 5;

/** Kysely dialect over Node's own SQLite: a file that several processes share. */
export function sqliteDialect(file: SqliteFile, parts: ConnectionParts): Dialect {
  const dialect = new SqliteDialect({ database: () => Promise.reject(new Error('The driver opens the file')) });
  return {
    createDriver: () => new FileDriver(file, parts),
    createAdapter: () => new Adapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}

/** Driver with one connection, which callers use one after another. */
class FileDriver implements Driver {
  readonly #file: SqliteFile;
  readonly #bounds: RecordsBounds;
  readonly #failed: (reason: string) => void;
  readonly #turns = new Turns();
  #database: DatabaseSync | null = null;
  #isClosed = false;

  constructor(file: SqliteFile, { bounds, failed = () => undefined }: ConnectionParts) {
    this.#file = file;
    this.#bounds = bounds;
    this.#failed = failed;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    if (!(await this.#turns.take(this.#bounds.connectMs))) throw this.#heard(new DatabaseFailure('NO_FREE_CONNECTION'));
    try {
      return new Connection(await this.#connect(), this.#bounds.lockMs, (thrown) => this.#heard(thrown));
    } catch (thrown) {
      this.#turns.pass();
      throw this.#heard(thrown);
    }
  }

  /**
   * Takes the write lock at the start (`BEGIN IMMEDIATE`): a transaction that read first could lose it to another one,
   * and fail permanently.
   */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, 'begin immediate');
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, 'commit');
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite has rolled back by itself, as it does on a full disk.
    if (this.#database?.isTransaction === false) return;
    try {
      await run(connection, 'rollback');
    } catch {
      // It cannot, and then closing does. What is told is why it had to be rolled back.
      this.#close();
    }
  }

  releaseConnection(): Promise<void> {
    this.#turns.pass();
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    this.#isClosed = true;
    this.#close();
    return Promise.resolve();
  }

  async #connect(): Promise<DatabaseSync> {
    if (this.#isClosed) throw new DatabaseFailure('CLOSED');
    // Before it is opened too: SQLite would make an empty one where there is none.
    this.#file.check();
    this.#database ??= await open(this.#file.path, this.#bounds);
    if (this.#isClosed) this.#close();
    if (this.#database === null) throw new DatabaseFailure('CLOSED');
    return this.#database;
  }

  /** Returns the error for the caller. */
  #heard(thrown: unknown): unknown {
    const failure = sqliteFailure(thrown);
    if (failure instanceof DatabaseFailure) this.#failed(failure.reason);
    return failure;
  }

  #close(): void {
    this.#database?.close();
    this.#database = null;
  }
}

async function open(path: string, bounds: RecordsBounds): Promise<DatabaseSync> {
  // SQLite's own waiting would hold up the event loop, and with it every visitor: `patiently` waits instead.
  const database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
  try {
    await patiently(() => database.exec('pragma journal_mode = wal'), bounds.lockMs);
    database.exec('pragma synchronous = normal');
    database.exec(`pragma max_page_count = ${bounds.pagesMax}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class Connection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #lockMs: number;
  readonly #heard: (thrown: unknown) => unknown;

  constructor(database: DatabaseSync, lockMs: number, heard: (thrown: unknown) => unknown) {
    this.#database = database;
    this.#lockMs = lockMs;
    this.#heard = heard;
  }

  async executeQuery<R>({ sql, parameters }: Pick<CompiledQuery, 'sql' | 'parameters'>): Promise<QueryResult<R>> {
    const values = parameters as readonly SQLInputValue[];
    try {
      return await patiently(() => this.#execute<R>(sql, values), this.#lockMs);
    } catch (thrown) {
      throw this.#heard(thrown);
    }
  }

  streamQuery(): never {
    throw new Error('Streams are not needed');
  }

  #execute<R>(sql: string, values: readonly SQLInputValue[]): QueryResult<R> {
    const statement = this.#database.prepare(sql);
    if (statement.columns().length === 0) {
      const { changes } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes) };
    }
    // As a plain number one beyond 2^53 would fail the whole query, and with it every row beside it.
    statement.setReadBigInts(true);
    return { rows: statement.all(...values).map((row) => asNumbers(row) as R) };
  }
}

async function run(connection: DatabaseConnection, sql: string): Promise<void> {
  await (connection as Connection).executeQuery({ sql, parameters: [] });
}

/** Converts integers to numbers, rounded if too large, as they come from PostgreSQL. */
function asNumbers(row: Record<string, SQLOutputValue>): Record<string, SQLOutputValue> {
  for (const [column, value] of Object.entries(row)) if (typeof value === 'bigint') row[column] = Number(value);
  return row;
}

/**
 * Retries `work` while another connection has locked the file, for at most `maxMs` milliseconds. A statement that found
 * it busy has had no effect.
 */
async function patiently<T>(work: () => T, maxMs: number): Promise<T> {
  const deadline = performance.now() + maxMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (sqliteCodeOf(error) !== SQLITE_BUSY || performance.now() > deadline) throw error;
      await pause(1 + Math.random() * BUSY_PAUSE_MS);
    }
  }
}

/**
 * Adapter that declares DDL as transactional, as it is in SQLite, which keeps two processes from migrating at once. The
 * driver serialises access to the one connection, and waits for it with a deadline.
 */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  override get supportsMultipleConnections(): boolean {
    return true;
  }
}
