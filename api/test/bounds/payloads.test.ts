import { LIMITS } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { assertTalking, pairOf, startTestApp, until, Visitor } from '../harness.ts';
import { PollingVisitor } from './polling-visitor.ts';
import { RawConnection } from './raw-connection.ts';
import { RawVisitor } from './raw-visitor.ts';
import { OPCODE, webSocketFrame } from './web-socket-frame.ts';

/** Visitor on either transport who sends packets unchanged. */
const ROUGH = {
  websocket: async (app: App) => {
    const visitor = await RawVisitor.arrive(app);
    return { visitor, send: async (packet: string) => visitor.webSocket.send(packet) };
  },
  polling: async (app: App) => {
    const visitor = await PollingVisitor.arrive(app);
    return { visitor, send: (packet: string) => visitor.post(packet) };
  },
} as const;

/** Packet of exactly that many bytes, two for each character of its content. */
const packetOf = (bytes: number) => {
  const [start, end] = ['4298["match:find","', '"]'];
  const room = bytes - start.length - end.length;
  return start + 'é'.repeat(Math.floor(room / 2)) + 'e'.repeat(room % 2) + end;
};
const frameOf = (bytes: number, conversationId = `c_${'x'.repeat(22)}`) => {
  const [start, end] = ['{"kind":"sticker","data":"', '"}'];
  const body = start + 'x'.repeat(bytes - start.length - end.length) + end;
  return `42["conversation:frame",{"conversationId":"${conversationId}","run":"r","seq":1,"ack":0,"body":${body}}]`;
};

describe.each(['websocket', 'polling'] as const)('S5 over %s', (transport) => {
  async function roughBesidePair(
    attack: (parts: {
      app: App;
      visitor: RawVisitor | PollingVisitor;
      send: (packet: string) => Promise<unknown>;
    }) => Promise<void>,
  ) {
    await using app = await startTestApp({ bounds: { closeMs: 200 } });
    await using pair = await pairOf(app);
    await using polling = await pairOf(app, { transports: ['polling'] });
    const { visitor, send } = await ROUGH[transport](app);
    await using _ = visitor;
    await attack({ app, visitor, send });
    await assertTalking(pair, 1);
    await assertTalking(polling, 1);
    expect(app.held()).toMatchObject({ seats: 4 });
  }

  test('a packet of the largest size is read and answered', async () => {
    await roughBesidePair(async ({ app, visitor, send }) => {
      await send(packetOf(LIMITS.packetMaxBytes));
      await answerTo(visitor, '4398');
      expect(app.held().connections).toBe(5);
    });
  });

  test.each([
    ['is binary', 'bAAAA'],
    ['announces an attachment', '451-["match:find",{"_placeholder":true,"num":0}]'],
    ['announces a thousand attachments', '451000-["match:find"]'],
    ['acknowledges with an attachment', '461-0[{"_placeholder":true,"num":0}]'],
    ['is none of Engine.IO', 'x'],
    ['is none of Socket.IO', '49'],
    ['is no JSON', '42["match:find"'],
    ['joins a second time', '40{"version":1}'],
  ])('a packet that %s closes its connection, and no other', async (_, packet) => {
    await roughBesidePair(async ({ app, send }) => {
      await send(packet);
      await until(() => app.held().connections === 4, 'it is closed');
      expect(app.held().sockets).toBe(4);
    });
  });

  test('a frame beyond its limit is dropped and counted, and one within is not', async () => {
    await roughBesidePair(async ({ app, visitor, send }) => {
      await send(frameOf(LIMITS.frameMaxBytes));
      await send(frameOf(LIMITS.frameMaxBytes + 1));
      await send('4298["match:cancel",{}]');
      await answerTo(visitor, '4398');
      expect([
        app.metrics.countOf('passerby_frames_dropped_total', { fault: 'not_paired' }),
        app.metrics.countOf('passerby_frames_dropped_total', { fault: 'too_large' }),
      ]).toEqual([1, 1]);
      expect(app.held().connections).toBe(5);
    });
  });
});

describe.each([LIMITS.packetMaxBytes + 1, 1_000_000])('packet of %d bytes', (bytes) => {
  test('closes its WebSocket, and no other', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using rough = await RawVisitor.arrive(app);
    rough.webSocket.send(packetOf(bytes));
    await rough.closed;
    await assertTalking(pair, 1);
    expect(app.held().connections).toBe(2);
  });

  test('is answered 413 over long-polling, without an effect', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using rough = await PollingVisitor.arrive(app);
    expect(await rough.post(packetOf(bytes))).toMatchObject({ status: 413 });
    await rough.post('4298["match:cancel",{}]');
    await rough.pollFor('4398');
    expect(rough.packets.filter((packet) => packet.startsWith('43'))).toHaveLength(1);
    await assertTalking(pair, 1);
  });

  test('disconnects a client over long-polling', async () => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using rough = await Visitor.arrive(app, { transports: ['polling'] });
    rough.socket.emit('match:find', 'x'.repeat(bytes));
    await until(() => app.held().connections === 2, 'it is gone');
    await assertTalking(pair, 1);
  });
});

const answerTo = (visitor: RawVisitor | PollingVisitor, part: string) =>
  visitor instanceof RawVisitor ? visitor.packet(part) : visitor.pollFor(part);

/** Close code as encoded in the frame that closes a WebSocket. */
const closing = (code: number) => String.fromCharCode(code >> 8, code & 0xff);

describe('closes a WebSocket that', () => {
  const { text, continuation, binary } = OPCODE;
  const open = (length: number) => webSocketFrame(text, 'x'.repeat(length), { isLast: false });
  const more = (length: number) => webSocketFrame(continuation, 'x'.repeat(length), { isLast: false });

  test.each<[string, Buffer[], number | null]>([
    ['goes beyond a packet by fragments', [open(1_024), ...Array.from({ length: 64 }, () => more(1_024))], 1_009],
    [
      'sends fragments of nothing',
      [open(0), ...Array.from({ length: CONNECTION_LIMITS.fragmentsMax + 1 }, () => more(0))],
      1_008,
    ],
    ['announces 4 GiB', [Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0])], 1_009],
    ['compresses', [webSocketFrame(text, 'x', { isCompressed: true })], 1_002],
    ['sends binary', [webSocketFrame(binary, 'xxxx')], null],
    ['sends what is no UTF-8', [Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28])], 1_007],
    ['does not mask', [Buffer.from([0x81, 0x01, 0x78])], 1_002],
    ['continues what it did not begin', [more(1)], 1_002],
    ['uses a reserved opcode', [webSocketFrame(3, 'x')], 1_002],
  ])('%s', async (_, frames, code) => {
    await using app = await startTestApp({ bounds: { closeMs: 100 } });
    await using pair = await pairOf(app);
    await using connection = await RawConnection.upgraded(app);
    expect(connection.received).not.toMatch(/permessage-deflate/i);
    connection.write(webSocketFrame(text, '40{"version":1}'));
    await until(() => connection.received.includes('session:ready'), 'it has joined');
    for (const frame of frames) connection.write(frame);
    await until(() => connection.isClosed, 'it is closed');
    if (code !== null) expect(connection.received).toContain(closing(code));
    expect(app.held().connections).toBe(2);
    await assertTalking(pair, 1);
  });
});

test('closes a WebSocket that sends one frame byte by byte', async () => {
  await using app = await startTestApp({ bounds: { closeMs: 100 } });
  await using pair = await pairOf(app);
  await using connection = await RawConnection.upgraded(app);
  const frame = webSocketFrame(OPCODE.text, 'x'.repeat(LIMITS.packetMaxBytes));
  // Some bytes may travel together, but not dozens. The last one stays behind: the frame is never whole.
  for (const byte of frame.subarray(0, -1)) {
    if (connection.isClosed) break;
    connection.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => connection.isClosed, 'it is closed');
  expect(connection.received).toContain(closing(1_008));
  await assertTalking(pair, 1);
});
