/** Time for which the database is waited for, and how much of it is used. Milliseconds unless said otherwise; a test replaces them. */
export const RECORDS_BOUNDS = {
  /** Connections of one process to PostgreSQL, apart from the one that follows changes. */
  connectionsMax: 5,
  /** Until a connection is made, or a free one is got hold of. */
  connectMs: 3_000,
  /** Until a statement is answered; then its connection is destroyed. Longer than `statementMs`, so that the server's own word comes first. */
  queryMs: 5_000,
  /** Time for which PostgreSQL works on a statement. */
  statementMs: 4_000,
  /** Time for which a statement waits for a lock: of a row in PostgreSQL, of the file in SQLite. */
  lockMs: 3_000,
  /** Time for which PostgreSQL keeps a transaction in which nothing is asked: its locks stop all other writers. */
  idleInTransactionMs: 10_000,
  /** Time for which one transaction may hold a connection in all; then it is destroyed. */
  transactionMs: 15_000,
  /** From when on a silent connection is probed by TCP. */
  keepAliveMs: 10_000,
  /** Maximum time that a connection that this side ends may take to agree, and how long closing waits for work under way. */
  closeMs: 2_000,
  /** Time for which a start waits for another process that brings the tables up to date. */
  migrationWaitMs: 60_000,
  /** Between two tries while it waits. */
  migrationPauseMs: 250,
  /** Maximum time that one step of bringing the tables up to date may take. */
  migrationMs: 10 * 60_000,
  /** Pages of the SQLite file, at most; SQLite's own limit. A count. */
  pagesMax: 4_294_967_294,
} as const;

export type RecordsBounds = { readonly [Name in keyof typeof RECORDS_BOUNDS]: number };
