import { PostgresDialect, type Dialect } from 'kysely';
import pg from 'pg';

/** How many connections one process holds at most: what it asks of the database is little. */
const CONNECTIONS_MAX = 5;
/** How long one is waited for. Milliseconds. */
const CONNECT_MS = 5_000;
/** How long one statement may take. Milliseconds. */
const STATEMENT_MS = 10_000;

/** PostgreSQL's number of the type of whole numbers of 64 bits. */
const INT8: number = pg.types.builtins.INT8;

function parserOf(type: number, format: 'text' | 'binary'): (value: string) => unknown {
  return type === INT8 ? Number : (pg.types.getTypeParser(type, format) as (value: string) => unknown);
}

/** Kysely's dialect over `pg`. `url` is never repeated in an error: it may hold a password. */
export function postgresDialect(url: string): Dialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    application_name: 'passerby',
    // Whole numbers of 64 bits come as text; ours are times and counts, exact as numbers.
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
  });
  // An idle connection that breaks is dropped by the pool; whoever asks next gets a new one, or the error.
  pool.on('error', () => undefined);
  return new PostgresDialect({ pool });
}
