import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ProxiedLine, type Path, type Watch } from './proxied-line.ts';
import { Targets } from './targets.ts';

const CALM: Path = { delayMs: 0, sliceBytes: 0, bytesPerSecond: 0, areRepliesLost: false };

/**
 * TCP proxy on loopback that simulates network faults: it delays, splits, cuts, resets, drops replies, or goes silent
 * without closing.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #targets: Targets;
  readonly #lines = new Set<ProxiedLine>();
  readonly #watches = new Set<Watch>();
  readonly #path: Path = { ...CALM };
  #isRefusing = false;

  private constructor(server: Server, targets: Targets) {
    this.#server = server;
    this.#targets = targets;
    server.on('connection', (client) => void this.#join(client));
  }

  /** Starts it in front of one port, or of several in turns. */
  static async start(target: number | Targets): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, typeof target === 'number' ? new Targets(target) : target);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Open connections, in the order of their arrival. */
  get lines(): readonly ProxiedLine[] {
    return [...this.#lines];
  }

  /** Delays all data, both ways; 0 for no delay. */
  delay(ms: number): void {
    this.#path.delayMs = ms;
  }

  /** Splits data into pieces of this many bytes, both ways; 0 for no split. */
  slice(bytes: number): void {
    this.#path.sliceBytes = bytes;
  }

  /** Limits the bytes a second, each way; 0 for no limit. */
  throttle(bytesPerSecond: number): void {
    this.#path.bytesPerSecond = bytesPerSecond;
  }

  /** Closes every connection in order. */
  cut(): void {
    for (const line of this.#lines) line.cut();
  }

  /** Resets every connection. */
  reset(): void {
    for (const line of this.#lines) line.reset();
  }

  /**
   * Passes requests and drops replies for a time. Then the connections are reset, since no stream continues after bytes
   * are lost. `isBroken: false` continues it all the same, as a faulty proxy does.
   */
  async loseReplies(ms: number, { isBroken = true } = {}): Promise<void> {
    this.#path.areRepliesLost = true;
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#path.areRepliesLost = false;
    if (isBroken) this.reset();
  }

  /** Half-open: drops all data on the present connections without closing them. */
  goSilent(): void {
    for (const line of this.#lines) line.goSilent();
  }

  /**
   * Acts on the connection on which this text comes back, once: after half of it has passed, after all, or after the
   * loss of the one reply of Redis that contains it.
   */
  whenPassing(words: string, after: Watch['after'], act: Watch['act']): void {
    this.#watches.add({ words, after, act });
  }

  /** Drops one reply of Redis, the next one with this text, and continues the stream. Resolves once it is dropped. */
  loseReply(words: string): Promise<ProxiedLine> {
    return new Promise((resolve) => this.whenPassing(words, 'loss', resolve));
  }

  /** Refuses connections for a time, and resets the open ones. */
  async refuse(ms: number): Promise<void> {
    this.shut();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.open();
  }

  /** Refuses connections until `open`, and resets the open ones. */
  shut(): void {
    this.#isRefusing = true;
    this.reset();
  }

  open(): void {
    this.#isRefusing = false;
  }

  /** Removes all delays, limits and splits. */
  calm(): void {
    Object.assign(this.#path, CALM);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    // Not `shut`: Node leaves a socket open that is destroyed while it is being reset, and then cannot end the process.
    this.#isRefusing = true;
    this.#server.close();
    for (const line of this.#lines) line.destroy();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #join(client: Socket): Promise<void> {
    client.on('error', () => undefined);
    const target = this.#isRefusing ? null : await this.#targets.reach();
    target?.on('error', () => undefined);
    if (target === null || this.#isRefusing || client.destroyed) {
      client.resetAndDestroy();
      target?.destroy();
      return;
    }
    client.setNoDelay(true);
    const line = new ProxiedLine(client, target, this.#path, this.#watches, () => this.#lines.delete(line));
    this.#lines.add(line);
  }
}
