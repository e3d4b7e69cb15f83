import type { Socket } from 'node:net';
import { withoutReply } from './redis-reply.ts';

/**
 * Effects of a path on the data it carries. Every connection of a proxy reads it, so that a change applies to open ones
 * too.
 */
export interface Path {
  /** Delay of all data. */
  delayMs: number;
  /** Number of bytes in which data are split, into 64 pieces at most; 0 for no split. */
  sliceBytes: number;
  /** Maximum number of bytes a second; 0 for no limit. */
  bytesPerSecond: number;
  areRepliesLost: boolean;
}

/**
 * Action when this text comes back from the target: once, after half of it has passed, after all, or after the loss of
 * the one reply of Redis that contains it, while the stream continues.
 */
export interface Watch {
  readonly words: string;
  readonly after: 'half' | 'all' | 'loss';
  readonly act: (line: ProxiedLine) => void;
}

/** One connection through a proxy. */
export class ProxiedLine {
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #path: Path;
  #isSilent = false;
  #isFailingMidway = false;
  #isSubscriber = false;

  /** `over` is called once both ends are closed. */
  constructor(client: Socket, target: Socket, path: Path, watches: Set<Watch>, over: () => void) {
    this.#client = client;
    this.#target = target;
    // What this line alone does on top of what the path does to all.
    this.#path = Object.create(path) as Path;
    const up = new Carrier(client, target, this.#path);
    const down = new Carrier(target, client, this.#path);
    client.on('data', (chunk: Buffer) => {
      this.#isSubscriber ||= SUBSCRIBE.test(chunk.toString('latin1'));
      if (!this.#isSilent) up.carry(chunk);
    });
    target.on('data', (chunk: Buffer) => {
      if (this.#isSilent || path.areRepliesLost) return;
      if (this.#isFailingMidway) {
        down.carry(chunk.subarray(0, Math.ceil(chunk.length / 2)));
        setImmediate(() => this.reset());
        return;
      }
      const watch = [...watches].find(({ words }) => chunk.includes(words));
      if (watch === undefined) {
        down.carry(chunk);
        return;
      }
      watches.delete(watch);
      const { words, after, act } = watch;
      const passing = {
        half: () => chunk.subarray(0, chunk.indexOf(words) + words.length / 2),
        all: () => chunk,
        loss: () => withoutReply(chunk, words),
      };
      down.carry(passing[after]());
      setImmediate(() => act(this));
    });
    for (const [end, other] of [
      [client, target],
      [target, client],
    ] as const) {
      end.on('close', () => {
        // On a line gone silent neither end learns what became of the other.
        if (!this.#isSilent) other.destroy();
        if (client.destroyed && target.destroyed) over();
      });
    }
  }

  /** Closes it in order. */
  cut(): void {
    this.#client.end();
    this.#target.end();
  }

  /** Resets it. */
  reset(): void {
    this.#client.resetAndDestroy();
    this.#target.resetAndDestroy();
  }

  /** Half-open: drops all data without closing. */
  goSilent(): void {
    this.#isSilent = true;
  }

  /** Closes the direction to the client, as a server that shuts down does, and still accepts what the client sends. */
  halfClose(): void {
    this.#client.end();
  }

  /** Delays all data on this connection only. Milliseconds. */
  slow(delayMs: number): void {
    this.#path.delayMs = delayMs;
  }

  /** Limits the bytes a second, each way, on this connection only. */
  throttle(bytesPerSecond: number): void {
    this.#path.bytesPerSecond = bytesPerSecond;
  }

  /** Passes half of the target's next data, and resets the connection. */
  failMidway(): void {
    this.#isFailingMidway = true;
  }

  /** Returns whether it carried a Redis subscription. */
  get isSubscriber(): boolean {
    return this.#isSubscriber;
  }

  destroy(): void {
    this.#client.destroy();
    this.#target.destroy();
  }
}

const SUBSCRIBE = /\bs?p?subscribe\b/i;

/** Burst of a throttled path, as a share of a second. */
const BURST_S = 0.02;

/**
 * Maximum number of pieces of a chunk. Each piece waits for a turn of the event loop: more would stall on a busy
 * machine.
 */
const PIECES_MAX = 64;

/** One direction of a connection: in order, whatever the effects of the path. */
class Carrier {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #path: Path;
  readonly #waiting: { readonly chunk: Buffer; readonly dueAt: number }[] = [];
  #isBusy = false;

  constructor(from: Socket, to: Socket, path: Path) {
    this.#from = from;
    this.#to = to;
    this.#path = path;
  }

  carry(chunk: Buffer): void {
    const { delayMs, sliceBytes, bytesPerSecond } = this.#path;
    if (!this.#isBusy && delayMs === 0 && sliceBytes === 0 && bytesPerSecond === 0) {
      if (this.#to.writable) this.#to.write(chunk);
      return;
    }
    // Whoever sends faster than the path takes it must feel that.
    if (bytesPerSecond > 0) this.#from.pause();
    this.#waiting.push({ chunk, dueAt: performance.now() + delayMs });
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const earlyMs = next.dueAt - performance.now();
      if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
      await this.#pass(next.chunk);
    }
    this.#isBusy = false;
    if (!this.#from.destroyed) this.#from.resume();
  }

  async #pass(chunk: Buffer): Promise<void> {
    const { sliceBytes, bytesPerSecond } = this.#path;
    const burst = bytesPerSecond > 0 ? Math.max(1, Math.floor(bytesPerSecond * BURST_S)) : chunk.length;
    const slice = sliceBytes > 0 ? Math.max(sliceBytes, Math.ceil(chunk.length / PIECES_MAX)) : chunk.length;
    const pieceMax = Math.min(burst, slice);
    for (let from = 0; from < chunk.length && this.#to.writable; from += pieceMax) {
      const piece = chunk.subarray(from, from + pieceMax);
      this.#to.write(piece);
      if (bytesPerSecond > 0)
        await new Promise((resolve) => setTimeout(resolve, (piece.length / bytesPerSecond) * 1_000));
      else if (from + pieceMax < chunk.length) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
