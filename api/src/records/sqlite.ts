import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type Dialect,
  type SqliteDatabase,
} from 'kysely';

/** How long a statement tries anew while another connection writes. Milliseconds. */
const BUSY_MAX_MS = 5_000;
/** Between two tries, at most: whoever writes is done in less. Milliseconds. */
const BUSY_PAUSE_MS = 10;
/** SQLite's primary result code for "another connection has the lock". */
const SQLITE_BUSY = 5;

/** Kysely's dialect over Node's own SQLite: a file that several processes share. Makes the folder if need be. */
export function sqliteDialect(file: string): Dialect {
  const config = { database: () => open(file) };
  const dialect = new SqliteDialect(config);
  return {
    createDriver: () => new Driver(config),
    createAdapter: () => new Adapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}

async function open(file: string): Promise<SqliteDatabase> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // SQLite's own waiting would hold up the event loop, and with it every visitor: `patiently` waits instead.
  const database = new DatabaseSync(file, { timeout: 0, enableForeignKeyConstraints: true });
  await patiently(() => database.exec('pragma journal_mode = wal'));
  database.exec('pragma synchronous = normal');
  return {
    close: () => database.close(),
    prepare: (text) => {
      const statement = database.prepare(text);
      // As a plain number one beyond 2^53 would fail the whole query, and with it every row beside it.
      statement.setReadBigInts(true);
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)).map(asNumbers),
        run: (parameters) => statement.run(...values(parameters)),
        *iterate(parameters) {
          for (const row of statement.iterate(...values(parameters))) yield asNumbers(row);
        },
      };
    },
  };
}

/** Whole numbers as numbers, rounded where they are too large: as they come from PostgreSQL. */
function asNumbers(row: Record<string, SQLOutputValue>): Record<string, SQLOutputValue> {
  for (const [column, value] of Object.entries(row)) if (typeof value === 'bigint') row[column] = Number(value);
  return row;
}

/** Tries again while another connection has the file. A statement that met it busy has done nothing. */
async function patiently<T>(work: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + BUSY_MAX_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { errcode = 0 } = error as { errcode?: number };
      // The low byte is the primary code; the rest says more of it.
      if ((errcode & 0xff) !== SQLITE_BUSY || performance.now() > deadline) throw error;
      await pause(1 + Math.random() * BUSY_PAUSE_MS);
    }
  }
}

class Driver extends SqliteDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    return {
      executeQuery: (query) => patiently(() => connection.executeQuery(query)),
      streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
    };
  }

  /** Takes the right to write at the start: a transaction that read first could lose it to another, and fail for good. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** SQLite's definitions of tables are as transactional as all else, and that keeps two processes from migrating at once. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
