import { Decoder, PacketType, type Packet } from 'socket.io-parser';
import { REFUSED_PAYLOAD } from '../contract/refused-payload.ts';
import { judgePacket } from './packet-bounds.ts';

/** Socket.IO ends a connection that sends this: it is for servers to send. */
const PROTOCOL_ERROR: Packet = { type: PacketType.CONNECT_ERROR, nsp: '/' };

/**
 * Reads text packets, one of a connection in each turn of the event loop: what arrives at once is spread over as many
 * turns, so that no connection holds up others. Judges each by its text first. What is no packet of a client, and a
 * second CONNECT, which would open a second session while the first is being checked, ends the connection.
 */
class TextDecoder extends Decoder {
  /** Packets of this connection for the next turns. The bounds of a connection limit how many there are. */
  #waiting: string[] = [];
  #isTurnTaken = false;
  #hasConnect = false;

  override add(chunk: unknown): void {
    if (typeof chunk !== 'string') throw new Error('binary packets are not accepted');
    if (this.#isTurnTaken) this.#waiting.push(chunk);
    else this.#read(chunk);
  }

  override destroy(): void {
    this.#waiting = [];
    super.destroy();
  }

  #read(packet: string): void {
    this.#isTurnTaken = true;
    setImmediate(() => this.#nextTurn());
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

  #nextTurn(): void {
    this.#isTurnTaken = false;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    try {
      this.#read(next);
    } catch {
      // Nobody above would hear it here: it ends as it does where it is thrown.
      this.#waiting = [];
      this.emitReserved('decoded', PROTOCOL_ERROR);
    }
  }
}

/** Writes packets as text. Socket.IO's own looks for binary in all that is sent, by a walk as deep as what it is given. */
class TextEncoder {
  encode({ type, nsp, id, data }: Packet): string[] {
    const namespace = nsp === '/' ? '' : `${nsp},`;
    return [`${type}${namespace}${id ?? ''}${data == null ? '' : JSON.stringify(data)}`];
  }
}

/** Socket.IO's packets, for text only and within bounds. */
export const textParser = { Encoder: TextEncoder, Decoder: TextDecoder };
