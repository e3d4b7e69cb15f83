import { describe, expect, it } from 'vitest';
import { Decoder, PacketType, type Packet } from 'socket.io-parser';
import { REFUSED_PAYLOAD } from '../contract/refused-payload.ts';
import { TextEncoder, textParser } from './text-parser.ts';

function decoder(isFailing = false) {
  const reports: unknown[] = [];
  const parser = textParser({
    malformed: () => void reports.push('malformed'),
    failed: (thrown) => void reports.push(thrown),
  });
  const decoding = new parser.Decoder();
  const decoded: Packet[] = [];
  decoding.on('decoded', (packet) => {
    if (isFailing) throw new TypeError('a bug of ours');
    decoded.push(packet);
  });
  return { decoding, decoded, reports };
}

describe('S29 decoder', () => {
  it('passes an event that was refused unparsed, with an invalid payload', () => {
    const { decoding, decoded } = decoder();
    decoding.add(`27["match:find",${'['.repeat(900)}]`);
    expect(decoded).toEqual([
      { type: PacketType.EVENT, nsp: '/', id: 7, data: ['match:find', REFUSED_PAYLOAD.too_complex] },
    ]);
  });

  it.each([
    ['a packet of no type', '9'],
    ['a binary packet', Buffer.of(1)],
    ['the head of a packet with attachments', '51-["match:cancel",{"_placeholder":true,"num":0}]'],
    ['an event that is no JSON', '2["match:cancel",}'],
    ['an event of a reserved name', '2["disconnect"]'],
  ])('throws at %s, and reports it as malformed', (_, packet) => {
    const { decoding, decoded, reports } = decoder();
    expect(() => decoding.add(packet)).toThrow();
    expect([reports, decoded]).toEqual([['malformed'], []]);
  });

  it('accepts one CONNECT', () => {
    const { decoding, decoded, reports } = decoder();
    decoding.add('0{"version":1}');
    expect(reports).toEqual([]);
    expect(() => decoding.add('0{"version":1}')).toThrow('one CONNECT');
    expect(decoded.map(({ type }) => type)).toEqual([PacketType.CONNECT]);
    expect(reports).toEqual(['malformed']);
  });

  it('reports an exception of a handler as such, not as malformed', () => {
    const { decoding, reports } = decoder(true);
    expect(() => decoding.add('2["match:cancel",{}]')).toThrow(TypeError);
    expect(reports).toEqual([new TypeError('a bug of ours')]);
  });
});

describe('S29 encoder', () => {
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

  it('does not search for binary data', () => {
    let isWalked = false;
    const data = [
      'x',
      {
        get a() {
          return {
            get b() {
              isWalked = true;
              return 0;
            },
            toJSON: () => 'short',
          };
        },
      },
    ];
    new TextEncoder().encode({ type: PacketType.EVENT, nsp: '/', data });
    expect(isWalked).toBe(false);
  });
});
