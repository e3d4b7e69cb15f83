import { sql } from 'kysely';
import type { Database } from './database.ts';
import { DatabaseFailure } from './database-failure.ts';
import type { Tables } from './tables.ts';

type Right = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

/** Privileges that the service needs once the tables are migrated. The audit trail is append-only. */
export const NEEDED_RIGHTS: Readonly<Record<keyof Tables | 'kysely_migration', readonly Right[]>> = {
  kysely_migration: ['SELECT'],
  revisions: ['SELECT', 'UPDATE'],
  stamps: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  sites: ['SELECT', 'INSERT', 'UPDATE'],
  origins: ['SELECT', 'INSERT', 'DELETE'],
  policies: ['SELECT', 'INSERT', 'UPDATE'],
  keys: ['SELECT', 'INSERT', 'UPDATE'],
  reports: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  bans: ['SELECT', 'INSERT', 'UPDATE'],
  audit: ['SELECT', 'INSERT'],
};

/** SQLSTATE "insufficient privilege". */
const DENIED = '42501';

/** Failure because the database user lacks privileges, such as `CREATE on the schema public`. */
export class MissingRights extends DatabaseFailure {
  readonly rights: readonly string[];

  constructor(rights: readonly string[], cause?: unknown) {
    super(DENIED, cause);
    this.rights = rights;
  }
}

/** Runs `migrate`. Rejects with `MissingRights` if the user may not migrate the tables, or not use them. */
export async function withRights(db: Database, migrate: () => Promise<void>): Promise<void> {
  try {
    await migrate();
  } catch (thrown) {
    if (!(thrown instanceof DatabaseFailure) || thrown.reason !== DENIED) throw thrown;
    throw new MissingRights(await rightsToMigrate(db), thrown);
  }
  const missing = await missingOnTables(db);
  if (missing.length > 0) throw new MissingRights(missing);
}

async function rightsToMigrate(db: Database): Promise<readonly string[]> {
  const missing = (await missingOnTables(db)).filter((right) => right.endsWith(' kysely_migration'));
  if (missing.length > 0) return missing;
  const { rows } = await sql<{ readonly schema: string; readonly mayCreate: boolean }>`
    select current_schema() as schema, has_schema_privilege(current_schema(), 'CREATE') as "mayCreate"
  `.execute(db);
  const { schema, mayCreate } = rows[0]!;
  return [mayCreate ? `the ownership of the tables in the schema ${schema}` : `CREATE on the schema ${schema}`];
}

/** Returns missing privileges on existing tables, such as `DELETE on reports`. A privilege on some columns counts. */
async function missingOnTables(db: Database): Promise<readonly string[]> {
  const needed = Object.entries(NEEDED_RIGHTS).flatMap(([table, rights]) => rights.map((right) => ({ table, right })));
  const tables = needed.map(({ table }) => table);
  const rights = needed.map(({ right }) => right);
  const { rows } = await sql<{ readonly name: string }>`
    select needed."right" || ' on ' || needed."table" as name
    from unnest(${tables}::text[], ${rights}::text[]) with ordinality as needed ("table", "right", place)
    where to_regclass(needed."table") is not null
      and not case needed."right"
        when 'DELETE' then has_table_privilege(to_regclass(needed."table"), 'DELETE')
        else has_any_column_privilege(to_regclass(needed."table"), needed."right")
      end
    order by needed.place
  `.execute(db);
  return rows.map(({ name }) => name);
}
