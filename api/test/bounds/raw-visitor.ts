import { once } from 'node:events';
import { FRAME_EVENT, SOCKET_PATH } from '@passerby/sdk/protocol';
import { WebSocket } from 'ws';
import { ORIGIN, requestId, SHOP } from '../harness.ts';

/** Timeout of a raw visitor for an expected packet. Milliseconds. */
const PATIENCE_MS = 30_000;

/** Visitor over a plain WebSocket, packet by packet, who can stop reading. */
export class RawVisitor {
  readonly webSocket: WebSocket;
  /** Every packet as received. */
  readonly packets: string[] = [];
  readonly closed: Promise<unknown>;
  #acks = 0;

  private constructor(url: string, site: string, origin: string) {
    const query = new URLSearchParams({ EIO: '4', transport: 'websocket', site });
    this.webSocket = new WebSocket(`${url.replace('http', 'ws')}${SOCKET_PATH}?${query}`, { origin });
    this.closed = new Promise((resolve) => this.webSocket.once('close', resolve));
    this.webSocket.on('message', (data: Buffer) => {
      const packet = data.toString();
      this.packets.push(packet);
      if (packet === '2') this.webSocket.send('3');
      const started = /^42(\d+)\["conversation:started"/.exec(packet);
      if (started !== null) this.webSocket.send(`43${started[1]}[]`);
    });
  }

  /** Opens a connection without joining. */
  static async connect(
    { url }: { readonly url: string },
    site: string = SHOP.key,
    origin = ORIGIN,
  ): Promise<RawVisitor> {
    const visitor = new RawVisitor(url, site, origin);
    await once(visitor.webSocket, 'open');
    return visitor;
  }

  /** Opens a connection, joins and waits for `session:ready`. */
  static async arrive(...where: Parameters<typeof RawVisitor.connect>): Promise<RawVisitor> {
    const visitor = await RawVisitor.connect(...where);
    visitor.webSocket.send('40{"version":1}');
    await visitor.packet('session:ready');
    return visitor;
  }

  /** Returns the first packet that contains this. */
  async packet(part: string): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      const found = this.packets.find((packet) => packet.includes(part));
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error(`no packet with "${part}" came`);
  }

  find(): void {
    this.request('match:find', { requestId: requestId() });
  }

  /** Sends a request and ignores its answer. */
  request(name: string, payload: unknown): void {
    this.webSocket.send(`42${this.#acks++}${JSON.stringify([name, payload])}`);
  }

  frame(frame: object): void {
    this.webSocket.send(`42${JSON.stringify([FRAME_EVENT, frame])}`);
  }

  /** Sends that many pings of maximum size; resolves once the system has accepted them. */
  async ping(count: number): Promise<void> {
    const data = Buffer.alloc(125);
    for (let sent = 1; sent < count; sent++) this.webSocket.ping(data);
    await new Promise<void>((resolve, reject) => {
      this.webSocket.ping(data, true, (error) => (error == null ? resolve() : reject(error)));
    });
  }

  /** Stops reading: further data stay in the system's buffers, and then in the service. */
  stopReading(): void {
    this.webSocket.pause();
  }

  readOn(): void {
    this.webSocket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.webSocket.terminate();
  }
}
