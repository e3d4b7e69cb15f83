import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { DatabaseFailure } from './database-failure.ts';

/** Private part of `pg`: the method by which its connection starts to read the stream, after TLS if there is any. */
interface Innards {
  readonly connection: { attachListeners(stream: Duplex): void };
}

/**
 * Connection to PostgreSQL whose errors are handled from the start, whether it is checked out or not, and that can be
 * destroyed at once, whatever the other end does.
 */
export class PostgresClient extends pg.Client {
  readonly #socket: Socket;
  readonly #closeMs: number;

  /** `closed` is called once its socket is. */
  constructor(config: pg.ClientConfig, closeMs: number, closed: () => void) {
    const socket = new Socket().once('close', closed);
    super({ ...config, stream: () => socket });
    this.#socket = socket;
    this.#closeMs = closeMs;
    // What broke is told to whoever asked something; with nobody asking, the next one gets a new connection.
    this.on('error', () => undefined);
    const { connection } = this as unknown as Innards;
    const read = connection.attachListeners.bind(connection);
    connection.attachListeners = (stream) => {
      breakWhereUnreadable(stream);
      read(stream);
    };
  }

  /** Destroys the connection: pending statements fail, and the pool removes it. */
  destroy(): void {
    this.#socket.destroy();
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(callback?: (error: never, client: never) => void): Promise<pg.Client> | void {
    if (callback === undefined) return super.connect();
    super.connect((error: Error | null, client?: pg.Client) => {
      // One that was refused is closed by the other end, but for one that never does.
      if (error !== null) this.destroy();
      callback(error as never, client as never);
    });
  }

  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    // A silent line never agrees to be closed.
    const timer = setTimeout(() => this.destroy(), this.#closeMs).unref();
    this.#socket.once('close', () => clearTimeout(timer));
    return callback === undefined ? super.end() : super.end(callback);
  }
}

/**
 * Destroys a connection that receives what `pg` cannot parse, such as a request for Kerberos, or another protocol. `pg`
 * throws in its parser: nothing would catch that, and the process would end.
 */
function breakWhereUnreadable(stream: Duplex): void {
  const emit = stream.emit.bind(stream) as (name: string | symbol, ...args: unknown[]) => boolean;
  stream.emit = (name: string | symbol, ...args: unknown[]) => {
    if (name !== 'data') return emit(name, ...args);
    try {
      return emit(name, ...args);
    } catch (thrown) {
      stream.destroy(new DatabaseFailure('UNREADABLE_ANSWER', thrown));
      return true;
    }
  };
}
