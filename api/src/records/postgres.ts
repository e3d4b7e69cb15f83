import { PostgresAdapter, PostgresDialect, PostgresDriver, type Dialect } from 'kysely';
import type { ConnectionParts } from './database.ts';
import { BoundedPool } from './postgres-pool.ts';

/** Kysely dialect over `pg`, with a deadline on everything. */
export function postgresDialect(url: string, parts: ConnectionParts): Dialect {
  const config = { pool: new BoundedPool(url, parts) };
  const dialect = new PostgresDialect(config);
  return {
    createDriver: () => new Driver(config),
    createAdapter: () => new Adapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}

class Driver extends PostgresDriver {
  override async rollbackTransaction(
    ...[connection]: Parameters<PostgresDriver['rollbackTransaction']>
  ): Promise<void> {
    try {
      await super.rollbackTransaction(connection);
    } catch {
      // The connection is gone, and the transaction with it. What is told is why it had to be rolled back.
    }
  }
}

/** Adapter without a migration lock: `migrate` takes the lock itself, before it reads anything. */
class Adapter extends PostgresAdapter {
  override acquireMigrationLock(): Promise<void> {
    return Promise.resolve();
  }

  override releaseMigrationLock(): Promise<void> {
    return Promise.resolve();
  }
}
