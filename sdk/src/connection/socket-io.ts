import { Socket as Engine, type SocketOptions } from 'engine.io-client';
import { asItIs } from '../internal/as-it-is.ts';
import { isObject } from '../internal/is-object.ts';
import { parseJson } from '../internal/parse-json.ts';

/**
 * Types of packets of the Socket.IO protocol, version 5: the first character of each. Binary ones are left out, and so are
 * namespaces: the service uses neither.
 */
const PACKET = { connect: '0', disconnect: '1', event: '2', ack: '3', connectError: '4' } as const;
const PACKET_PATTERN = /^([0-4])(\d*)(.*)$/s;

export interface SocketIoEvents {
  /** The transport is open. */
  open(): void;
  /** An event of the service. `confirm` acknowledges it, if that was asked for. */
  event(name: string, payload: unknown, confirm: () => void): void;
  /** Once, unless closed from here. `failure` has the reason of the service, if any: in `data`, or in the HTTP response in `context`. */
  closed(failure?: unknown): void;
}

export interface SocketIoParts {
  readonly url: string;
  readonly options: Partial<SocketOptions>;
  /** Goes with the CONNECT packet. */
  readonly auth: unknown;
  readonly events: SocketIoEvents;
}

interface PendingAck {
  readonly answer: (reply: unknown) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * One connection by the Socket.IO protocol over Engine.IO. It never comes back and buffers nothing, which is what the SDK
 * uses of `socket.io-client`, in a quarter of its size.
 */
export class SocketIo {
  readonly #engine: Engine;
  readonly #events: SocketIoEvents;
  readonly #acks = new Map<number, PendingAck>();
  #lastId = 0;
  #isConnected = false;
  #isOver = false;

  constructor({ url, options, auth, events }: SocketIoParts) {
    this.#events = events;
    this.#engine = new Engine(url, options);
    this.#engine.on('open', () => {
      if (this.#isOver) return;
      events.open();
      this.#write(PACKET.connect, auth);
    });
    this.#engine.on('data', (data: unknown) => {
      if (!this.#isOver) this.#receive(String(data));
    });
    this.#engine.on('error', (failure) => {
      if (!this.#isConnected) this.#fail(failure);
    });
    this.#engine.on('close', () => this.#fail());
  }

  /** False where making a WebSocket throws (CSP in Firefox and WebKit), or there is none: Engine.IO says nothing, and waits. */
  get hasWebSocket(): boolean {
    return Boolean((this.#engine.transport as { ws?: unknown }).ws);
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.#isOver;
  }

  /** Sends now or not at all. */
  emit(name: string, payload: unknown): void {
    if (this.isConnected) this.#write(PACKET.event, [name, payload]);
  }

  /** Emits an event that the service answers. Answers `null` if that does not come in time. */
  request(name: string, payload: unknown, timeoutMs: number, answer: (reply: unknown) => void): void {
    if (!this.isConnected) {
      answer(null);
      return;
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const timer = setTimeout(() => this.#settle(id, null), timeoutMs);
    this.#acks.set(id, { answer, timer });
    this.#write(PACKET.event, [name, payload], id);
  }

  close(): void {
    if (this.isConnected) this.#write(PACKET.disconnect);
    this.#end();
  }

  #receive(packet: string): void {
    const [, type, id, json] = PACKET_PATTERN.exec(packet) ?? [];
    const data = parseJson(json);
    if (type === PACKET.connect && isObject(data)) {
      this.#isConnected = true;
    } else if (type === PACKET.event && Array.isArray(data)) {
      this.#events.event(String(data[0]), data[1], () => {
        if (id !== '' && this.isConnected) this.#write(PACKET.ack, [], id);
      });
    } else if (type === PACKET.ack && Array.isArray(data)) {
      this.#settle(Number(id), data[0]);
    } else {
      // Refused, disconnected, or nothing that this protocol has.
      this.#fail(type === PACKET.connectError ? data : undefined);
    }
  }

  #write(type: string, data?: unknown, id: number | string = ''): void {
    // On a page that slept, a connection that has died is noticed here. What was sent into it would be lost.
    if (this.#engine._hasPingExpired()) return;
    this.#engine.write(type + id + (data === undefined ? '' : JSON.stringify(data, asItIs())));
  }

  #settle(id: number, reply: unknown): void {
    const pending = this.#acks.get(id);
    if (pending === undefined) return;
    clearTimeout(pending.timer);
    this.#acks.delete(id);
    pending.answer(reply);
  }

  #fail(failure?: unknown): void {
    if (this.#isOver) return;
    this.#end();
    this.#events.closed(failure);
  }

  #end(): void {
    this.#isOver = true;
    this.#engine.close();
    for (const id of this.#acks.keys()) this.#settle(id, null);
  }
}
