import pg from 'pg';
import { expect, test } from 'vitest';
import { PostgresServer } from '../servers/postgres-server.ts';
import { expectNoCanary, putThroughEverything } from './everything.ts';

/** Returns every row of every table, as one text. */
async function contentsOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ table_name: string }>(
      `select table_name from information_schema.tables where table_schema = 'public'`,
    );
    const parts: string[] = [];
    for (const { table_name: table } of tables) {
      parts.push(table, JSON.stringify((await client.query(`select * from "${table}"`)).rows));
    }
    return parts.join('\n');
  } finally {
    await client.end();
  }
}

test('S19 messages, tokens, secret keys and addresses are in no log, metric, error, Redis or PostgreSQL', async () => {
  await using server = await PostgresServer.start();
  const url = await server.database();
  const remains = await putThroughEverything({ DATABASE_URL: url }, async () => ({ records: await contentsOf(url) }));
  expectNoCanary(remains);
  const password = encodeURIComponent('of the tests');
  expect(Object.values(remains.places).some((text) => text.includes(password))).toBe(false);
});
