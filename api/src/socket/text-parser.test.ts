import { describe, expect, it } from 'vitest';
import { Decoder, PacketType, type Packet } from 'socket.io-parser';
import { REFUSED_PAYLOAD } from '../contract/refused-payload.ts';
import { Turns } from '../limits/turns.ts';
import { TextEncoder, textParser } from './text-parser.ts';

function decoder() {
  const decoding = new (textParser(new Turns()).Decoder)();
  const decoded: Packet[] = [];
  decoding.on('decoded', (packet) => void decoded.push(packet));
  return { decoding, decoded };
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

describe('S29 the decoder', () => {
  it('reads one packet of a connection at once, and the rest in order in later turns', async () => {
    const { decoding, decoded } = decoder();
    for (let id = 0; id < 50; id++) decoding.add(`2${id}["match:cancel",{}]`);
    expect(decoded).toHaveLength(1);
    await until(() => decoded.length === 50);
    expect(decoded.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, id) => id));
  });

  it('hands over an event that was refused unparsed, with a payload that fits nothing', () => {
    const { decoding, decoded } = decoder();
    decoding.add(`27["match:find",${'['.repeat(900)}]`);
    expect(decoded).toEqual([
      { type: PacketType.EVENT, nsp: '/', id: 7, data: ['match:find', REFUSED_PAYLOAD.too_complex] },
    ]);
  });

  it('throws at what ends the connection, and in a later turn says so by a packet that does', async () => {
    const { decoding, decoded } = decoder();
    expect(() => decoding.add('9')).toThrow();
    const other = decoder();
    for (const packet of ['2["match:cancel",{}]', '9', '2["match:cancel",{}]']) other.decoding.add(packet);
    await until(() => other.decoded.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(other.decoded.map(({ type }) => type)).toEqual([PacketType.EVENT, PacketType.CONNECT_ERROR]);
    expect(decoded).toEqual([]);
  });

  it('takes one CONNECT', async () => {
    const { decoding, decoded } = decoder();
    decoding.add('0{"version":1}');
    decoding.add('0{"version":1}');
    await until(() => decoded.length === 2);
    expect(decoded.map(({ type }) => type)).toEqual([PacketType.CONNECT, PacketType.CONNECT_ERROR]);
  });

  it('reads nothing more once the connection is gone', async () => {
    const { decoding, decoded } = decoder();
    for (let count = 0; count < 5; count++) decoding.add('2["match:cancel",{}]');
    decoding.destroy();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(decoded).toHaveLength(1);
  });
});

describe('S29 the encoder', () => {
  it.each<Packet>([
    { type: PacketType.CONNECT, nsp: '/', data: { sid: 'x' } },
    { type: PacketType.CONNECT_ERROR, nsp: '/admin', data: { message: 'Invalid namespace' } },
    { type: PacketType.DISCONNECT, nsp: '/' },
    { type: PacketType.EVENT, nsp: '/', data: ['site:presence', { online: { min: 0, max: null } }] },
    { type: PacketType.EVENT, nsp: '/', id: 0, data: ['x'] },
    { type: PacketType.ACK, nsp: '/', id: 12, data: [] },
  ])('writes $type as Socket.IO does, for Socket.IO to read', (packet) => {
    const [text, ...more] = new TextEncoder().encode(packet);
    expect(more).toEqual([]);
    const read: Packet[] = [];
    const reading = new Decoder();
    reading.on('decoded', (decoded) => void read.push(decoded));
    reading.add(text);
    expect(read).toEqual([packet]);
  });

  it('does not walk what it writes', () => {
    let isWalked = false;
    const data = ['x', { get a() { return { get b() { isWalked = true; return 0; }, toJSON: () => 'short' }; } }];
    new TextEncoder().encode({ type: PacketType.EVENT, nsp: '/', data });
    expect(isWalked).toBe(false);
  });
});
