import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One connection through the proxy. */
interface Line {
  readonly client: Socket;
  readonly target: Socket;
  isSilent: boolean;
}

/**
 * A TCP proxy on loopback that does to connections what networks do: slow them, cut them, reset them,
 * swallow what comes back, or go silent without closing.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #lines = new Set<Line>();
  #delayMs = 0;
  #areRepliesLost = false;
  #isRefusing = false;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    server.on('connection', (client) => this.#join(client));
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, targetPort);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#lines.size;
  }

  /** Everything arrives this much later, both ways; 0 for at once. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Closes every connection in order. */
  cut(): void {
    for (const { client, target } of this.#lines) {
      client.end();
      target.end();
    }
  }

  /** Breaks every connection off. */
  reset(): void {
    for (const { client, target } of this.#lines) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /**
   * For a time requests arrive and are carried out, and no reply comes back. Then the connections break:
   * no stream goes on after bytes of it are gone. `isBroken: false` lets it go on all the same, as a faulty proxy does.
   */
  async loseReplies(ms: number, { isBroken = true } = {}): Promise<void> {
    this.#areRepliesLost = true;
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#areRepliesLost = false;
    if (isBroken) this.reset();
  }

  /** Half-open: on the connections there are nothing passes any more, and nothing is closed. */
  goSilent(): void {
    for (const line of this.#lines) line.isSilent = true;
  }

  /** Nobody gets in for a time, and those who are in are thrown out. */
  async refuse(ms: number): Promise<void> {
    this.#isRefusing = true;
    this.reset();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#isRefusing = false;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { client, target } of this.#lines) {
      client.destroy();
      target.destroy();
    }
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #join(client: Socket): void {
    if (this.#isRefusing) {
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    const line: Line = { client, target, isSilent: false };
    this.#lines.add(line);
    this.#carry(client, target, () => line.isSilent);
    this.#carry(target, client, () => line.isSilent || this.#areRepliesLost);
    for (const [end, other] of [
      [client, target],
      [target, client],
    ] as const) {
      end.on('error', () => undefined);
      end.on('close', () => {
        this.#lines.delete(line);
        other.destroy();
      });
    }
  }

  #carry(from: Socket, to: Socket, isLost: () => boolean): void {
    from.on('data', (chunk: Buffer) => {
      if (isLost()) return;
      if (this.#delayMs === 0) to.write(chunk);
      else setTimeout(() => to.writable && to.write(chunk), this.#delayMs);
    });
  }
}
