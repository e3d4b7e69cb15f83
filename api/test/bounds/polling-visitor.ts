import { Agent, request } from 'node:http';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import type { App } from '../../src/app.ts';
import { ORIGIN, requestId, SHOP, Visitor } from '../harness.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Separator of packets in one body. */
const SEPARATOR = '\x1e';

/** Visitor over plain long-polling, request by request, who polls on demand. */
export class PollingVisitor {
  readonly #url: string;
  readonly #site: string;
  readonly #origin: string;
  readonly #agent = new Agent({ keepAlive: true });
  /** Every packet as received. */
  readonly packets: string[] = [];
  sid = '';
  #acks = 0;

  private constructor(url: string, site: string, origin: string) {
    this.#url = url;
    this.#site = site;
    this.#origin = origin;
  }

  /** Opens a connection without joining. */
  static async connect(
    { url }: { readonly url: string },
    site: string = SHOP.key,
    origin = ORIGIN,
  ): Promise<PollingVisitor> {
    const visitor = new PollingVisitor(url, site, origin);
    const { body } = await visitor.#ask('GET');
    visitor.sid = (JSON.parse(body.slice(1)) as { sid: string }).sid;
    return visitor;
  }

  /** Opens a connection, joins, and reads all initial pushes. */
  static async arrive(...where: Parameters<typeof PollingVisitor.connect>): Promise<PollingVisitor> {
    const visitor = await PollingVisitor.connect(...where);
    await visitor.post('40{"version":1}');
    await visitor.pollFor('site:presence');
    return visitor;
  }

  /** Sends packets in one body. */
  post(...packets: string[]): Promise<Answer> {
    return this.#ask('POST', packets.join(SEPARATOR));
  }

  /** Returns the packets of one poll, which waits for the first. */
  async poll(): Promise<string[]> {
    const { status, body } = await this.#ask('GET');
    if (status !== 200) throw new Error(`the poll was answered ${status}: ${body}`);
    const packets = body.split(SEPARATOR);
    this.packets.push(...packets);
    for (const packet of packets) {
      const started = /^42(\d+)\["conversation:started"/.exec(packet);
      if (started !== null) await this.post(`43${started[1]}[]`);
    }
    return packets;
  }

  /** Polls until a packet contains this. */
  async pollFor(part: string): Promise<string> {
    for (;;) {
      const found = (await this.poll()).find((packet) => packet.includes(part));
      if (found !== undefined) return found;
    }
  }

  find(): Promise<Answer> {
    return this.post(this.request('match:find', { requestId: requestId() }));
  }

  /** Returns the packet of a request. */
  request(name: string, payload: unknown): string {
    return `42${this.#acks++}${JSON.stringify([name, payload])}`;
  }

  /** Sends requests for that many answers, and does not poll for them. */
  async leaveUnread(answers: number): Promise<void> {
    await this.post(...Array.from({ length: answers }, () => this.request('match:cancel', {})));
  }

  #ask(method: 'GET' | 'POST', body?: string): Promise<Answer> {
    const query = new URLSearchParams({ EIO: '4', transport: 'polling', site: this.#site });
    if (this.sid !== '') query.set('sid', this.sid);
    return new Promise((resolve, reject) => {
      const headers = {
        Origin: this.#origin,
        ...(body !== undefined && { 'Content-Type': 'text/plain;charset=UTF-8' }),
      };
      request(`${this.#url}${SOCKET_PATH}?${query}`, { method, headers, agent: this.#agent }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode!, body: text }));
      })
        .on('error', reject)
        .end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }
}

/** Visitor who sends messages to a visitor who polls on demand, without other traffic. */
export async function writerTo(app: App, reader: PollingVisitor) {
  const writer = await Visitor.arrive(app);
  await reader.find();
  await writer.find();
  await reader.pollFor('conversation:started');
  const { conversationId } = await writer.next('conversation:started');
  await reader.post(reader.request('match:cancel', {}));
  await reader.pollFor('already_matched');
  return { writer, conversationId, [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose]() };
}
