import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import { WebSocket } from 'ws';
import type { PacketFuzzer } from './fuzz-packets.ts';

/** Address of the service, and the identity to use. */
export interface Target {
  readonly url: string;
  readonly site: string;
  readonly origin: string;
}

/** Result of sending packets. */
export interface Fuzzed {
  /** Number of requests refused, by code. */
  readonly refusals: Map<string, number>;
  connections: number;
  sent: number;
}

/** Time for which a request that the service must answer, or close the connection for, may stay open. Milliseconds. */
const PATIENCE_MS = 30_000;
/** Acknowledgement number that no packet of the fuzzer uses. */
const QUESTION = 7_777_777;
const QUESTION_PACKET = `42${QUESTION}["match:cancel",{}]`;
const isAnswer = (packet: string) => packet.startsWith(`43${QUESTION}`);

export const nothingFuzzed = (): Fuzzed => ({ refusals: new Map(), connections: 0, sent: 0 });

/** Sends that many packets over WebSockets, one after another, and checks now and then that the service responds. */
export async function fuzzWebSockets(target: Target, fuzzer: PacketFuzzer, packets: number, fuzzed: Fuzzed) {
  const query = new URLSearchParams({ EIO: '4', transport: 'websocket', site: target.site });
  const url = `${target.url.replace('http', 'ws')}${SOCKET_PATH}?${query}`;
  const end = fuzzed.sent + packets;
  while (fuzzed.sent < end) {
    const socket = new WebSocket(url, { origin: target.origin });
    fuzzed.connections += 1;
    const came = new Inbox(fuzzed);
    socket.on('message', (data: Buffer) => came.take(data.toString()));
    socket.on('close', () => came.close());
    await once(socket, 'open');
    // Most join first, and wait until they have.
    const isJoining = fuzzer.below(10) > 0;
    if (isJoining) socket.send('40{"version":1}');
    if (isJoining && fuzzer.below(10) > 0) await came.first((packet) => packet.startsWith('40'));
    while (fuzzed.sent < end && !came.isClosed) {
      for (let burst = 1 + fuzzer.below(4); burst > 0; burst--) {
        socket.send(fuzzer.next(), { binary: fuzzer.below(200) === 0 });
        fuzzed.sent += 1;
      }
      socket.send(QUESTION_PACKET);
      await came.first(isAnswer);
      if (fuzzer.below(50) === 0) break;
    }
    if (fuzzer.below(2) === 0) socket.terminate();
    else socket.close();
  }
}

/** Data received over one WebSocket. */
class Inbox {
  readonly #fuzzed: Fuzzed;
  #waiting: { readonly isIt: (packet: string) => boolean; readonly done: () => void } | null = null;
  isClosed = false;

  constructor(fuzzed: Fuzzed) {
    this.#fuzzed = fuzzed;
  }

  take(packet: string): void {
    note(packet, this.#fuzzed);
    if (this.#waiting?.isIt(packet)) this.#waiting.done();
  }

  close(): void {
    this.isClosed = true;
    this.#waiting?.done();
  }

  /** Resolves with the next packet that matches, or once there can be none. */
  first(isIt: (packet: string) => boolean): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    return inTime(new Promise((done) => (this.#waiting = { isIt, done })));
  }
}

/** Sends that many packets over long-polling, several in a body, with malformed requests in between. */
export async function fuzzPolling(target: Target, fuzzer: PacketFuzzer, packets: number, fuzzed: Fuzzed) {
  using visitor = new PollingFuzz(target, fuzzer, fuzzed);
  const end = fuzzed.sent + packets;
  while (fuzzed.sent < end) await visitor.live(end);
}

class PollingFuzz {
  readonly #target: Target;
  readonly #fuzzer: PacketFuzzer;
  readonly #fuzzed: Fuzzed;
  readonly #agent = new Agent({ keepAlive: true });
  #sid = '';

  constructor(target: Target, fuzzer: PacketFuzzer, fuzzed: Fuzzed) {
    this.#target = target;
    this.#fuzzer = fuzzer;
    this.#fuzzed = fuzzed;
  }

  /** One connection, from its handshake until it is closed or enough was sent. */
  async live(end: number): Promise<void> {
    this.#sid = '';
    const opened = await this.#ask('GET');
    if (opened.status !== 200) throw new Error(`the handshake was answered ${opened.status}`);
    this.#sid = (JSON.parse(opened.body.slice(1)) as { sid: string }).sid;
    this.#fuzzed.connections += 1;
    const isJoining = this.#fuzzer.below(10) > 0;
    if (isJoining) await this.#ask('POST', '40{"version":1}');
    if (isJoining && this.#fuzzer.below(10) > 0) await this.#pollFor((packet) => packet.startsWith('40'));
    while (this.#fuzzed.sent < end) {
      if (this.#fuzzer.below(40) === 0) await this.#misbehave();
      const packets = Array.from({ length: 1 + this.#fuzzer.below(4) }, () => Buffer.from(this.#fuzzer.next()));
      const { status } = await this.#ask('POST', join(packets));
      this.#fuzzed.sent += packets.length;
      if (status !== 200 || (await this.#ask('POST', QUESTION_PACKET)).status !== 200) return;
      if (!(await this.#pollFor(isAnswer)) || this.#fuzzer.below(50) === 0) return;
    }
  }

  /** Resolves to whether it came; no data follow otherwise. */
  async #pollFor(isIt: (packet: string) => boolean): Promise<boolean> {
    for (;;) {
      const { status, body } = await this.#ask('GET');
      const packets = body.split('\x1e');
      for (const packet of packets) note(packet, this.#fuzzed);
      if (packets.some(isIt)) return true;
      if (status !== 200 || packets.includes('1')) return false;
    }
  }

  async #misbehave(): Promise<void> {
    this.#fuzzed.sent += 1;
    const odd: readonly Parameters<typeof this.ask>[] = [
      ['POST', '2', { sid: 'nobody' }],
      ['GET', undefined, { sid: '__proto__' }],
      ['GET', undefined, { sid: 'constructor' }],
      ['GET', undefined, { EIO: '3' }],
      ['GET', undefined, { transport: 'websocket' }],
      ['GET', undefined, { transport: '__proto__' }],
      ['GET', undefined, { site: 'pk_test_nobody' }],
      ['GET', undefined, { sid: 'nobody', 'a[b]': '%' }],
      ['POST', '40', { sid: '' }],
      ['PUT', '42["x"]', {}],
      ['DELETE', undefined, {}],
      ['OPTIONS', undefined, {}],
      ['POST', Buffer.from([0xff, 0xfe, 0]), {}, { 'Content-Type': 'application/octet-stream' }],
      ['POST', '\x1e'.repeat(50_000), {}],
      ['POST', 'x'.repeat(70_000), {}],
    ];
    await this.ask(...this.#fuzzer.pick(odd));
  }

  #ask(method: string, body?: string | Buffer): Promise<{ status: number; body: string }> {
    return this.ask(method, body, {});
  }

  ask(
    method: string,
    body: string | Buffer | undefined,
    odd: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = { 'Content-Type': 'text/plain;charset=UTF-8' },
  ): Promise<{ status: number; body: string }> {
    const { url, site, origin } = this.#target;
    const sid = this.#sid === '' ? {} : { sid: this.#sid };
    const query = new URLSearchParams({ EIO: '4', transport: 'polling', site, ...sid, ...odd });
    const asked = new Promise<{ status: number; body: string }>((resolve, reject) => {
      const options = { method, headers: { Origin: origin, ...headers }, agent: this.#agent };
      request(`${url}${SOCKET_PATH}?${query}`, options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode!, body: text }));
        response.on('error', reject);
      })
        .on('error', reject)
        .end(body);
    });
    // A body that is refused half-way may end in a reset.
    return inTime(asked).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
      return { status: 0, body: '' };
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

function join(packets: readonly Buffer[]): Buffer {
  return Buffer.concat(packets.flatMap((packet, index) => (index === 0 ? [packet] : [Buffer.of(0x1e), packet])));
}

function note(packet: string, { refusals }: Fuzzed): void {
  const code = /^43\d+\[\{"ok":false,"error":\{"code":"([a-z_]+)"/.exec(packet)?.[1];
  if (code !== undefined) refusals.set(code, (refusals.get(code) ?? 0) + 1);
}

async function inTime<Value>(what: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the service neither answered nor closed')), PATIENCE_MS);
  });
  return Promise.race([what, late]).finally(() => clearTimeout(timer));
}
