import type { WebSocket } from 'ws';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { FairScheduler, QueuedWork } from '../rate-limiting/fair-scheduler.ts';
import type { VisitorServer, VisitorSocket } from './visitor-socket.ts';

/** One Engine.IO connection. */
export type Connection = Pick<VisitorSocket['conn'], 'emit' | 'close'>;
/** Data of a packet; `undefined` for an empty message. */
type Data = string | Buffer | undefined;

/** Private property of Engine.IO. `socket` is set on a WebSocket only. */
interface Innards {
  readonly transport: { readonly socket?: Pick<WebSocket, 'pause' | 'resume'> };
}

/**
 * Passes the packets of each connection to Socket.IO, one per turn of the event loop. Ends a connection with `cut`
 * while more of its packets wait than it may send at once.
 */
export function spreadPackets(
  server: VisitorServer,
  turns: FairScheduler,
  bounds: Pick<ConnectionLimits, 'packetsMax' | 'packetsMaxBytes'>,
  cut: (connection: VisitorSocket['conn']) => void,
): void {
  server.engine.on('connection', (connection: VisitorSocket['conn']) => {
    queuePackets(connection, turns, bounds, () => cut(connection));
  });
}

/** Puts a queue between the events of a connection and their listeners. */
export function queuePackets(
  connection: Connection,
  turns: FairScheduler,
  bounds: Pick<ConnectionLimits, 'packetsMax' | 'packetsMaxBytes'>,
  cut: () => void,
): void {
  const emit = connection.emit.bind(connection) as (name: string, ...args: unknown[]) => boolean;
  const close = connection.close.bind(connection);
  const queue = new PacketQueue(connection as unknown as Innards, turns, bounds, {
    read: (data) => void emit('data', data),
    cut,
  });
  connection.emit = (name: string, ...args: unknown[]) => {
    if (name === 'data') queue.add(args[0] as Data);
    else if (name === 'close') queue.end(() => void emit(name, ...args));
    else return emit(name, ...args);
    return true;
  };
  connection.close = (isDiscarding) => {
    queue.drop();
    close(isDiscarding);
  };
}

/**
 * Packets of one connection that wait for their turn. A WebSocket is not read further meanwhile, so that TCP applies
 * backpressure.
 */
class PacketQueue implements QueuedWork {
  readonly #innards: Innards;
  readonly #turns: FairScheduler;
  readonly #bounds: Pick<ConnectionLimits, 'packetsMax' | 'packetsMaxBytes'>;
  readonly #then: { readonly read: (data: Data) => void; readonly cut: () => void };
  #waiting: Data[] = [];
  #waitingBytes = 0;
  /** Number of the turn in which the last packet was read. */
  #readIn = -1;
  #isInTurns = false;
  /** Set once this side closes the connection: nothing more is read. */
  #isDropped = false;
  #paused: Pick<WebSocket, 'pause' | 'resume'> | undefined;
  /** Callback that reports the end of the connection, after all packets before it. */
  #close: (() => void) | null = null;

  constructor(
    innards: Innards,
    turns: FairScheduler,
    bounds: Pick<ConnectionLimits, 'packetsMax' | 'packetsMaxBytes'>,
    then: { readonly read: (data: Data) => void; readonly cut: () => void },
  ) {
    this.#innards = innards;
    this.#turns = turns;
    this.#bounds = bounds;
    this.#then = then;
  }

  add(data: Data): void {
    if (this.#isDropped) return;
    if (!this.#isInTurns && this.#readIn !== this.#turns.turn && this.#turns.mayBegin()) {
      this.#read(data);
      return;
    }
    this.#waiting.push(data);
    this.#waitingBytes += bytesOf(data);
    if (this.#waiting.length > this.#bounds.packetsMax || this.#waitingBytes > this.#bounds.packetsMaxBytes) {
      this.#then.cut();
      return;
    }
    this.#pause();
    this.#wait();
  }

  /**
   * Calls back once all packets before are read; in a later turn if the last one is still being processed in
   * microtasks.
   */
  end(close: () => void): void {
    this.#resume();
    if (this.#isDropped || (!this.#isInTurns && this.#readIn !== this.#turns.turn)) {
      close();
      return;
    }
    this.#close = close;
    this.#wait();
  }

  /** Discards the queue. A WebSocket is read again, since its closing handshake comes that way. */
  drop(): void {
    this.#isDropped = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#resume();
  }

  doNext(): boolean {
    if (this.#waiting.length > 0) {
      const next = this.#waiting.shift();
      this.#waitingBytes -= bytesOf(next);
      this.#read(next);
    } else {
      const close = this.#close;
      this.#close = null;
      close?.();
    }
    this.#isInTurns = this.#waiting.length > 0 || this.#close !== null;
    if (this.#waiting.length === 0) this.#resume();
    return this.#isInTurns;
  }

  #read(data: Data): void {
    this.#readIn = this.#turns.turn;
    this.#then.read(data);
  }

  #wait(): void {
    if (this.#isInTurns) return;
    this.#isInTurns = true;
    this.#turns.wait(this);
  }

  #pause(): void {
    if (this.#paused !== undefined || this.#close !== null) return;
    this.#paused = this.#innards.transport.socket;
    this.#paused?.pause();
  }

  #resume(): void {
    this.#paused?.resume();
    this.#paused = undefined;
  }
}

const bytesOf = (data: Data) => (data === undefined ? 0 : Buffer.byteLength(data));
