/** Deadlines and limits in the use of the database. Milliseconds unless stated otherwise; a test replaces them. */
export const RECORDS_BOUNDS = {
  /** Maximum number of connections of one process to PostgreSQL, besides the one that polls changes. */
  connectionsMax: 5,
  /** Maximum time to open a connection, or to get a free one from the pool. */
  connectMs: 3_000,
  /**
   * Maximum time until a statement is answered; then its connection is destroyed. Longer than `statementMs`, so that
   * the server's own error comes first.
   */
  queryMs: 5_000,
  /** Maximum time that PostgreSQL works on a statement. */
  statementMs: 4_000,
  /** Maximum time that a statement waits for a lock: of a row in PostgreSQL, of the file in SQLite. */
  lockMs: 3_000,
  /** Maximum time that PostgreSQL keeps an idle transaction, whose locks block all other writers. */
  idleInTransactionMs: 10_000,
  /** Maximum time that one transaction may hold a connection; then the connection is destroyed. */
  transactionMs: 15_000,
  /** Idle time of a connection after which TCP keep-alive probes it. */
  keepAliveMs: 10_000,
  /**
   * Maximum time to wait for the other end when this side closes a connection, and for work in progress when the pool
   * closes.
   */
  closeMs: 2_000,
  /** Maximum time that a start waits for another process to finish migrating. */
  migrationWaitMs: 60_000,
  /** Pause between two attempts while it waits. */
  migrationPauseMs: 250,
  /** Maximum duration of one migration step. */
  migrationMs: 10 * 60_000,
  /** Maximum number of pages of the SQLite file; SQLite's own limit. */
  pagesMax: 4_294_967_294,
} as const;

export type RecordsBounds = { readonly [Name in keyof typeof RECORDS_BOUNDS]: number };
