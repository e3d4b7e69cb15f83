import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { newStamp } from './revisions.ts';

/**
 * All migrations of the tables, in order of their names. A released one is never edited: add another. A migration only
 * adds tables, indexes, and columns with a default, so that the previous version keeps working with them and nodes can
 * be upgraded or rolled back one by one. Unused parts are removed a version later.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '2026-11-22-first': {
    async up(db: Kysely<never>) {
      await db.schema
        .createTable('revisions')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('value', 'bigint', (column) => column.notNull())
        .execute();
      await sql`insert into revisions (id, value) values (1, 0)`.execute(db);

      await db.schema
        .createTable('sites')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('is_disabled', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('sites_revision').on('sites').column('revision').execute();

      await db.schema
        .createTable('origins')
        .addColumn('site_id', 'text', (column) => column.notNull().references('sites.id'))
        .addColumn('origin', 'text', (column) => column.notNull())
        .addColumn('position', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('origins_primary', ['site_id', 'origin'])
        .execute();

      await db.schema
        .createTable('policies')
        .addColumn('site_id', 'text', (column) => column.primaryKey().references('sites.id'))
        .addColumn('policy', 'text', (column) => column.notNull())
        .execute();

      await db.schema
        .createTable('keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('site_id', 'text', (column) => column.notNull().references('sites.id'))
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('mode', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull().unique())
        .addColumn('hint', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint')
        .addColumn('revoked_at', 'bigint')
        .execute();
      await db.schema.createIndex('keys_site').on('keys').column('site_id').execute();

      // Reports and bans name one side of a site, which may be the built-in demo: no reference to `sites`.
      await db.schema
        .createTable('reports')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('site_id', 'text', (column) => column.notNull())
        .addColumn('conversation_id', 'text', (column) => column.notNull())
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('comment', 'text')
        .addColumn('messages', 'text')
        .addColumn('reporter', 'text', (column) => column.notNull())
        .addColumn('reported_address', 'text', (column) => column.notNull())
        .addColumn('reported_ban_id', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('resolution', 'text')
        .addColumn('resolved_at', 'bigint')
        .addUniqueConstraint('reports_once', ['site_id', 'conversation_id', 'reporter'])
        .execute();
      await db.schema
        .createIndex('reports_about')
        .on('reports')
        .columns(['site_id', 'reported_address', 'created_at'])
        .execute();
      await db.schema.createIndex('reports_age').on('reports').column('created_at').execute();

      await db.schema
        .createTable('bans')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('site_id', 'text')
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('actor', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('until', 'bigint')
        .addColumn('lifted_at', 'bigint')
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('bans_revision').on('bans').column('revision').execute();

      await db.schema
        .createTable('audit')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('actor', 'text', (column) => column.notNull())
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('site_id', 'text')
        .addColumn('subject', 'text')
        .execute();
    },
  },
  // A process of the version before writes reports without these: they count for nothing.
  '2026-11-26-reports-by-network': {
    async up(db: Kysely<never>) {
      await db.schema
        .alterTable('reports')
        .addColumn('counts', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
      for (const name of ['reporter_network', 'reported_56', 'reported_48'] as const) {
        await db.schema.alterTable('reports').addColumn(name, 'text').execute();
      }
      for (const name of ['reported_56', 'reported_48'] as const) {
        await db.schema
          .createIndex(`reports_about_${name.slice(-2)}`)
          .on('reports')
          .columns(['site_id', name, 'created_at'])
          .execute();
      }
    },
  },

  '2026-11-26-stamps': {
    async up(db: Kysely<never>) {
      const stamp = newStamp();
      await db.schema
        .alterTable('revisions')
        .addColumn('stamp', 'text', (column) => column.notNull().defaultTo(''))
        .execute();
      await db.schema
        .createTable('stamps')
        .addColumn('revision', 'bigint', (column) => column.primaryKey())
        .addColumn('stamp', 'text', (column) => column.notNull())
        .execute();
      await sql`update revisions set stamp = ${stamp} where id = 1`.execute(db);
      await sql`insert into stamps (revision, stamp) select value, ${stamp} from revisions where id = 1`.execute(db);
    },
  },
};
