import type { Socket } from 'node:net';
import { withoutReply } from './redis-reply.ts';

/** What a path does to what passes it. Every line of a proxy looks here, so that a change holds for those that are open too. */
export interface Path {
  /** Everything arrives this much later. */
  delayMs: number;
  /** Everything arrives in pieces of this many bytes, of what comes at once in 64 pieces at most; 0 for whole. */
  sliceBytes: number;
  /** No more than this passes in a second; 0 for as much as there is. */
  bytesPerSecond: number;
  areRepliesLost: boolean;
}

/**
 * What is done when these words come back from the target: once, after half of them have passed, after all, or after the
 * loss of the one reply of Redis that they are in, while the stream goes on.
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

  /** `over` is called once neither end is open. */
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

  /** Breaks it off. */
  reset(): void {
    this.#client.resetAndDestroy();
    this.#target.resetAndDestroy();
  }

  /** Half-open: nothing passes any more, and nothing is closed. */
  goSilent(): void {
    this.#isSilent = true;
  }

  /** Ends the way to the client, as a server that shuts down does, and still takes what the client sends. */
  halfClose(): void {
    this.#client.end();
  }

  /** Everything arrives this much later, on this line only. Milliseconds. */
  slow(delayMs: number): void {
    this.#path.delayMs = delayMs;
  }

  /** No more than this many bytes pass in a second, each way, on this line only. */
  throttle(bytesPerSecond: number): void {
    this.#path.bytesPerSecond = bytesPerSecond;
  }

  /** Passes half of what the target says next, and breaks off. */
  failMidway(): void {
    this.#isFailingMidway = true;
  }

  /** Returns whether a Redis subscription was asked for on it. */
  get isSubscriber(): boolean {
    return this.#isSubscriber;
  }

  destroy(): void {
    this.#client.destroy();
    this.#target.destroy();
  }
}

const SUBSCRIBE = /\bs?p?subscribe\b/i;

/** What a throttled path lets through at once, as a share of a second. */
const BURST_S = 0.02;

/** Each piece waits for a turn of the event loop: a chunk in more pieces than this would stand still on a busy machine. */
const PIECES_MAX = 64;

/** One direction of a line: in order, whatever the path does. */
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
