import { Decoder, PacketType, type Packet } from 'socket.io-parser';
import { REFUSED_PAYLOAD } from '../contract/refused-payload.ts';
import type { Turns, Waiting } from '../limits/turns.ts';
import { judgePacket } from './packet-bounds.ts';

/** Socket.IO ends a connection that sends this: it is for servers to send. */
const PROTOCOL_ERROR: Packet = { type: PacketType.CONNECT_ERROR, nsp: '/' };

/**
 * Reads text packets, one of a connection in each turn of the event loop, and judges each by its text first. What is no
 * packet of a client, and a second CONNECT, which would open a second session while the first is being checked, ends the
 * connection.
 */
class TextDecoder extends Decoder implements Waiting {
  /** Packets of this connection for later turns. The bounds of a connection limit how much that is. */
  #waiting: string[] = [];
  /** The turn in which the last packet was read. */
  #readIn = -1;
  #hasConnect = false;
  readonly #turns: Turns;

  constructor(turns: Turns) {
    super();
    this.#turns = turns;
  }

  override add(chunk: unknown): void {
    if (typeof chunk !== 'string') throw new Error('binary packets are not accepted');
    if (this.#waiting.length === 0 && this.#readIn !== this.#turns.turn && this.#turns.mayBegin()) {
      this.#read(chunk);
      return;
    }
    this.#waiting.push(chunk);
    if (this.#waiting.length === 1) this.#turns.wait(this);
  }

  doNext(): boolean {
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    try {
      this.#read(next);
    } catch {
      // Nobody above would hear it here: it ends as it does where it is thrown.
      this.#waiting = [];
      this.emitReserved('decoded', PROTOCOL_ERROR);
    }
    return this.#waiting.length > 0;
  }

  override destroy(): void {
    this.#waiting = [];
    super.destroy();
  }

  #read(packet: string): void {
    this.#readIn = this.#turns.turn;
    const verdict = judgePacket(packet);
    switch (verdict.kind) {
      case 'read':
        if (packet[0] === '0') this.#connect();
        super.add(packet);
        return;
      case 'refused': {
        const { name, id, why } = verdict;
        const data = [name, REFUSED_PAYLOAD[why]];
        this.emitReserved('decoded', { type: PacketType.EVENT, nsp: '/', data, ...(id !== undefined && { id }) });
        return;
      }
      case 'broken':
        throw new Error('this packet is not accepted');
    }
  }

  #connect(): void {
    if (this.#hasConnect) throw new Error('a connection takes one CONNECT');
    this.#hasConnect = true;
  }
}

/** Writes packets as text. Socket.IO's own looks for binary in all that is sent, by a walk as deep as what it is given. */
export class TextEncoder {
  encode({ type, nsp, id, data }: Packet): string[] {
    const namespace = nsp === '/' ? '' : `${nsp},`;
    return [`${type}${namespace}${id ?? ''}${data == null ? '' : JSON.stringify(data)}`];
  }
}

/** Socket.IO's packets, for text only and within bounds. All connections share the turns. */
export function textParser(turns: Turns): { readonly Encoder: typeof TextEncoder; readonly Decoder: new () => Decoder } {
  return {
    Encoder: TextEncoder,
    Decoder: class extends TextDecoder {
      constructor() {
        super(turns);
      }
    },
  };
}
