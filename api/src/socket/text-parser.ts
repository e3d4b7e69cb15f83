import { Decoder, Encoder } from 'socket.io-parser';

/** Packet types of Socket.IO's protocol that announce binary attachments: BINARY_EVENT and BINARY_ACK. */
const BINARY_TYPES = new Set(['5', '6']);

/** Refuses binary attachments before a byte of them is kept; the connection that sends them is closed. */
class TextDecoder extends Decoder {
  override add(chunk: unknown): void {
    if (typeof chunk !== 'string' || BINARY_TYPES.has(chunk[0] ?? ''))
      throw new Error('binary packets are not accepted');
    super.add(chunk);
  }
}

/** Socket.IO's own parser, for text only. */
export const textParser = { Encoder, Decoder: TextDecoder };
