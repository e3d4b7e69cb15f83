import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ProxiedLine, type Path, type Watch } from './proxied-line.ts';
import { Targets } from './targets.ts';

const CALM: Path = { delayMs: 0, sliceBytes: 0, bytesPerSecond: 0, areRepliesLost: false };

/**
 * A TCP proxy on loopback that does to connections what networks do: slow them, tear what passes to pieces,
 * cut them, reset them, swallow what comes back, or go silent without closing.
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

  /** In front of one port, or of several in turns. */
  static async start(target: number | Targets): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, typeof target === 'number' ? new Targets(target) : target);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The open connections, in the order in which they came. */
  get lines(): readonly ProxiedLine[] {
    return [...this.#lines];
  }

  /** Everything arrives this much later, both ways; 0 for at once. */
  delay(ms: number): void {
    this.#path.delayMs = ms;
  }

  /** Everything arrives in pieces of this many bytes, both ways; 0 for whole. */
  slice(bytes: number): void {
    this.#path.sliceBytes = bytes;
  }

  /** No more than this many bytes pass in a second, each way; 0 for as many as there are. */
  throttle(bytesPerSecond: number): void {
    this.#path.bytesPerSecond = bytesPerSecond;
  }

  /** Closes every connection in order. */
  cut(): void {
    for (const line of this.#lines) line.cut();
  }

  /** Breaks every connection off. */
  reset(): void {
    for (const line of this.#lines) line.reset();
  }

  /**
   * For a time requests arrive and are carried out, and no reply comes back. Then the connections break:
   * no stream goes on after bytes of it are gone. `isBroken: false` lets it go on all the same, as a faulty proxy does.
   */
  async loseReplies(ms: number, { isBroken = true } = {}): Promise<void> {
    this.#path.areRepliesLost = true;
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#path.areRepliesLost = false;
    if (isBroken) this.reset();
  }

  /** Half-open: on the connections there are nothing passes any more, and nothing is closed. */
  goSilent(): void {
    for (const line of this.#lines) line.goSilent();
  }

  /**
   * Does this to the connection on which these words come back, once: after half of them have passed, after all, or after
   * the one reply of Redis was lost that they are in.
   */
  whenPassing(words: string, after: Watch['after'], act: Watch['act']): void {
    this.#watches.add({ words, after, act });
  }

  /** Loses one reply of Redis, the next one with these words, and lets the stream go on. Resolves once it is lost. */
  loseReply(words: string): Promise<ProxiedLine> {
    return new Promise((resolve) => this.whenPassing(words, 'loss', resolve));
  }

  /** Nobody gets in for a time, and those who are in are thrown out. */
  async refuse(ms: number): Promise<void> {
    this.shut();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.open();
  }

  /** Nobody gets in until `open`, and those who are in are thrown out. */
  shut(): void {
    this.#isRefusing = true;
    this.reset();
  }

  open(): void {
    this.#isRefusing = false;
  }

  /** Nothing slows or tears what passes any more. */
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
