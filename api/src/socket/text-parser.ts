import { Decoder, PacketType, type Packet } from 'socket.io-parser';
import { REFUSED_PAYLOAD } from '../contract/refused-payload.ts';
import { judgePacket } from './packet-bounds.ts';

/** Callbacks for packets that are not handled. */
export interface ParserReports {
  /** Counts a packet that no client sends. */
  readonly malformed: () => void;
  /** Logs an error thrown while a packet is handled, which Socket.IO drops. */
  readonly failed: (thrown: unknown) => void;
}

/**
 * Decodes text packets, after checking the text of each. Throws for a packet that no client sends, upon which Socket.IO
 * closes the connection; also for a second CONNECT, which would open a second session while the first is checked.
 */
class TextDecoder extends Decoder {
  readonly #reports: ParserReports;
  readonly #parser = new Decoder();
  #parsed: Packet | null = null;
  #hasConnect = false;

  constructor(reports: ParserReports) {
    super();
    this.#reports = reports;
    this.#parser.on('decoded', (packet) => (this.#parsed = packet));
  }

  override add(chunk: unknown): void {
    const packet = this.#read(chunk);
    try {
      this.emitReserved('decoded', packet);
    } catch (thrown) {
      this.#reports.failed(thrown);
      throw thrown;
    }
  }

  #read(chunk: unknown): Packet {
    try {
      if (typeof chunk !== 'string') throw new Error('binary packets are not accepted');
      return this.#parse(chunk);
    } catch (thrown) {
      this.#reports.malformed();
      throw thrown;
    }
  }

  #parse(packet: string): Packet {
    const verdict = judgePacket(packet);
    switch (verdict.kind) {
      case 'read':
        if (packet[0] === '0') this.#connect();
        this.#parsed = null;
        this.#parser.add(packet);
        if (this.#parsed === null) throw new Error('this packet has more to it than text');
        return this.#parsed;
      case 'refused': {
        const { name, id, why } = verdict;
        const data = [name, REFUSED_PAYLOAD[why]];
        return { type: PacketType.EVENT, nsp: '/', data, ...(id !== undefined && { id }) };
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

/** Encodes packets as text. Socket.IO's own encoder searches every payload for binary, recursively. */
export class TextEncoder {
  encode({ type, nsp, id, data }: Packet): string[] {
    const namespace = nsp === '/' ? '' : `${nsp},`;
    return [`${type}${namespace}${id ?? ''}${data == null ? '' : JSON.stringify(data)}`];
  }
}

/** Returns a Socket.IO parser for bounded text packets. */
export function textParser(reports: ParserReports): {
  readonly Encoder: typeof TextEncoder;
  readonly Decoder: new () => Decoder;
} {
  return {
    Encoder: TextEncoder,
    Decoder: class extends TextDecoder {
      constructor() {
        super(reports);
      }
    },
  };
}
