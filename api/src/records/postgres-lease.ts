import type { PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';
import type { RecordsBounds } from './bounds.ts';
import { DatabaseFailure } from './database-failure.ts';
import type { PostgresClient } from './postgres-client.ts';
import { postgresFailure } from './postgres-failure.ts';

/** SQLSTATE "in failed SQL transaction": of statements after one that failed. */
const ABORTED = '25P02';

/** Connection that a pool lends. */
export type LentClient = pg.PoolClient & PostgresClient;

export interface LeaseEvents {
  /** Reports a failure, and returns what it was given, to be thrown. */
  readonly failed: (thrown: unknown) => unknown;
  readonly missed: () => void;
  /** Called when the connection is returned intact. */
  readonly returned: () => void;
}

/**
 * Connection that was lent for one statement or one transaction, with a deadline for each statement and for the whole.
 * One that misses a deadline is destroyed.
 */
export class Lease implements PostgresPoolClient {
  readonly #client: LentClient;
  readonly #queryMs: number;
  readonly #events: LeaseEvents;
  readonly #timer: NodeJS.Timeout;
  #hasMissed = false;
  /** Error of the last statement that failed by itself, not because its transaction had failed. */
  #cause: unknown;

  constructor(client: LentClient, bounds: RecordsBounds, events: LeaseEvents) {
    this.#client = client;
    this.#queryMs = bounds.queryMs;
    this.#events = events;
    this.#timer = setTimeout(() => this.#miss(), bounds.transactionMs);
  }

  query(cursor: never): never;
  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  async query<R>(text: string, parameters: readonly unknown[] = []): Promise<PostgresQueryResult<R>> {
    const timer = setTimeout(() => this.#miss(), this.#queryMs);
    try {
      const result: unknown = await this.#client.query(text, [...parameters]);
      return result as PostgresQueryResult<R>;
    } catch (thrown) {
      throw this.#events.failed(this.#failureOf(thrown));
    } finally {
      clearTimeout(timer);
    }
  }

  release(isBroken = false): void {
    clearTimeout(this.#timer);
    const isWhole = !isBroken && !this.#hasMissed;
    if (isWhole) this.#events.returned();
    this.#client.release(!isWhole);
  }

  /**
   * Returns the error to throw. After a failure PostgreSQL refuses all further statements of the transaction: then it
   * is the original cause.
   */
  #failureOf(thrown: unknown): unknown {
    const failure = this.#hasMissed ? new DatabaseFailure('QUERY_TIMEOUT', thrown) : postgresFailure(thrown);
    if (failure instanceof DatabaseFailure && failure.reason === ABORTED) return this.#cause ?? failure;
    this.#cause = failure;
    return failure;
  }

  #miss(): void {
    this.#hasMissed = true;
    this.#client.destroy();
    this.#events.missed();
  }
}
