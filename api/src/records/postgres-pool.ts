import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { RecordsBounds } from './bounds.ts';
import type { ConnectionParts } from './database.ts';
import { DatabaseFailure } from './database-failure.ts';
import { withPlainSslMode } from './database-url.ts';
import { PostgresClient } from './postgres-client.ts';
import { postgresFailure } from './postgres-failure.ts';
import { Lease, type LentClient } from './postgres-lease.ts';

/** Type OID of PostgreSQL's 64-bit integers. */
const INT8: number = pg.types.builtins.INT8;

function parserOf(type: number, format: 'text' | 'binary'): (value: string) => unknown {
  return type === INT8 ? Number : (pg.types.getTypeParser(type, format) as (value: string) => unknown);
}

/**
 * Pool of connections to PostgreSQL with a deadline on everything: to get one, to be answered, to finish a transaction,
 * to close. A connection that misses a deadline is destroyed, never reused; idle ones are destroyed with it, since they
 * may be equally dead.
 */
export class BoundedPool implements PostgresPool {
  readonly options = {};
  readonly #pool: pg.Pool;
  readonly #bounds: RecordsBounds;
  readonly #failed: (reason: string) => void;
  /** Connections whose socket is not closed. */
  readonly #open = new Set<PostgresClient>();
  readonly #idle = new Set<PostgresClient>();
  /** Callers that wait for a connection, rejected when the pool closes: `pg` would let them wait until their deadline. */
  readonly #waiting = new Set<(failure: DatabaseFailure) => void>();

  /** `url` is never quoted in an error, since it may hold a password. */
  constructor(url: string, { bounds, failed = () => undefined }: ConnectionParts) {
    const open = this.#open;
    const options: pg.PoolConfig = {
      connectionString: withPlainSslMode(url),
      max: bounds.connectionsMax,
      connectionTimeoutMillis: bounds.connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: bounds.keepAliveMs,
      statement_timeout: bounds.statementMs,
      lock_timeout: bounds.lockMs,
      idle_in_transaction_session_timeout: bounds.idleInTransactionMs,
      application_name: 'passerby',
      // Whole numbers of 64 bits come as text; ours are times and counts, exact as numbers.
      types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
    };
    const Client = class extends PostgresClient {
      constructor(config: pg.ClientConfig) {
        super(config, bounds.closeMs, () => open.delete(this));
        open.add(this);
      }
    };
    this.#bounds = bounds;
    this.#failed = failed;
    this.#pool = new pg.Pool({ ...options, Client: Client as unknown as new () => PostgresClient });
    // An idle connection that breaks is dropped by the pool; whoever asks next gets a new one, or the error.
    this.#pool.on('error', () => undefined);
    this.#pool.on('remove', (client) => this.#idle.delete(client as unknown as PostgresClient));
  }

  async connect(): Promise<PostgresPoolClient> {
    const own = await this.#lend().catch((thrown: unknown) => {
      throw this.#heard(postgresFailure(thrown));
    });
    this.#idle.delete(own);
    return new Lease(own, this.#bounds, {
      failed: (thrown) => this.#heard(thrown),
      missed: () => this.#destroyIdle(),
      returned: () => this.#idle.add(own),
    });
  }

  /** Closes the pool within `closeMs`, whatever is in progress. */
  async end(): Promise<void> {
    const giveUp = () => {
      for (const fail of this.#waiting) fail(new DatabaseFailure('CLOSED'));
      for (const client of this.#open) client.destroy();
    };
    const timer = setTimeout(giveUp, this.#bounds.closeMs);
    await this.#pool.end();
    clearTimeout(timer);
    for (const fail of this.#waiting) fail(new DatabaseFailure('CLOSED'));
  }

  #lend(): Promise<LentClient> {
    return new Promise((resolve, reject) => {
      let isGivenUp = false;
      const giveUp = (failure: DatabaseFailure) => {
        isGivenUp = true;
        reject(failure);
      };
      this.#waiting.add(giveUp);
      this.#pool
        .connect()
        .then((client) => {
          if (isGivenUp) client.release(true);
          else resolve(client as LentClient);
        }, reject)
        .finally(() => this.#waiting.delete(giveUp));
    });
  }

  #heard(thrown: unknown): unknown {
    if (thrown instanceof DatabaseFailure) this.#failed(thrown.reason);
    return thrown;
  }

  #destroyIdle(): void {
    for (const client of this.#idle) client.destroy();
    this.#idle.clear();
  }
}
