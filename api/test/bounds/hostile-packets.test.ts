import { LIMITS, REQUEST_NAMES } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { VisitorAuthenticator } from '../../src/admission/visitor-authenticator.ts';
import { assertTalking, ORIGIN, pairOf, SHOP, sizesOf, startTestApp, until, Visitor } from '../harness.ts';
import { PollingVisitor } from './polling-visitor.ts';
import { RawVisitor } from './raw-visitor.ts';

const DEEP = 7_000;
const lists = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

/** Visitor in a conversation whose packets are sent unchanged, and the peer. */
async function roughPair(app: App) {
  const rough = await RawVisitor.arrive(app);
  const peer = await Visitor.arrive(app);
  rough.find();
  await peer.find();
  const { conversationId } = await peer.next('conversation:started');
  await rough.packet('conversation:started');
  const say = (seq: number, body: string) =>
    rough.webSocket.send(
      `42["conversation:frame",{"conversationId":"${conversationId}","run":"r","seq":${seq},"ack":0,"body":${body}}]`,
    );
  return {
    rough,
    peer,
    conversationId,
    say,
    [Symbol.asyncDispose]: async () => {
      await rough[Symbol.asyncDispose]();
      peer.socket.disconnect();
    },
  };
}

describe('S29 frame that', () => {
  test.each([
    ['nests 7,000 lists', 'too_complex', `{"kind":"x","v":${lists(DEEP)}}`],
    ['nests 1,500 objects', 'too_complex', `{"kind":"x","v":${'{"a":'.repeat(1_500)}0${'}'.repeat(1_500)}}`],
    ['nests one level too deep', 'too_complex', `{"kind":"x","v":${lists(LIMITS.packetDepthMax)}}`],
    ['has 2,000 keys', 'too_complex', `{"kind":"x"${Array.from({ length: 2_000 }, (_, n) => `,"${n}":0`).join('')}}`],
    ['is longer than any', 'too_large', `{"kind":"x","v":"${'x'.repeat(60_000)}"}`],
  ] as const)('%s is dropped and counted, and its sender goes on', async (_, fault, body) => {
    await using app = await startTestApp();
    await using pair = await roughPair(app);
    pair.say(1, body);
    await until(() => app.metrics.countOf('passerby_frames_dropped_total', { fault }) === 1, 'it is counted');
    pair.say(1, '{"kind":"text","text":"hello"}');
    expect((await pair.peer.next('conversation:frame')).body).toEqual({ kind: 'text', text: 'hello' });
    expect(pair.peer.all('conversation:frame')).toHaveLength(1);
  });

  test('nests as deep as may be is passed on', async () => {
    await using app = await startTestApp();
    await using pair = await roughPair(app);
    // The event, the frame, the body.
    pair.say(1, `{"kind":"x","v":${lists(LIMITS.packetDepthMax - 3)}}`);
    expect((await pair.peer.next('conversation:frame')).body.kind).toBe('x');
  });
});

describe('S29 a request', () => {
  test.each(REQUEST_NAMES)(
    '%s that is too deep, too long or of too many values is answered bad_request',
    async (name) => {
      await using app = await startTestApp();
      await using rough = await RawVisitor.arrive(app);
      const payloads = [lists(DEEP), `{"x":"${'x'.repeat(64_900)}"}`, `[${'0,'.repeat(10_000)}0]`];
      for (const [index, payload] of payloads.entries()) {
        rough.webSocket.send(`42${index}["${name}",${payload}]`);
        expect(await rough.packet(`43${index}[`)).toContain('"code":"bad_request"');
      }
      expect(app.metrics.countOf('passerby_refusals_total', { door: 'request', code: 'bad_request' })).toBe(
        payloads.length,
      );
    },
  );

  test('of a thousand payloads, or of none, is answered or counted, and the next one is handled', async () => {
    await using app = await startTestApp();
    await using rough = await RawVisitor.arrive(app);
    rough.webSocket.send(`421["session:check"${',{}'.repeat(100)}]`);
    rough.webSocket.send(`422["session:check"${',0'.repeat(1_000)}]`);
    rough.webSocket.send('423["session:check"]');
    rough.webSocket.send('42["session:check"]');
    rough.webSocket.send('424["session:check",{}]');
    for (const id of [1, 2, 3]) expect(await rough.packet(`43${id}[`)).toContain('"code":"bad_request"');
    expect(await rough.packet('434[')).toContain('"ok":true');
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'request_without_ack' })).toBe(1);
  });

  test('of an unknown name is answered bad_request, however long it is', async () => {
    await using app = await startTestApp();
    await using rough = await RawVisitor.arrive(app);
    rough.webSocket.send(`421["admin:shutdown","${'x'.repeat(60_000)}"]`);
    expect(await rough.packet('431[')).toContain('"code":"bad_request"');
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' })).toBe(1);
  });
});

describe('S29 a connection is closed that sends', () => {
  test.each([
    ['an acknowledgement number of 400 digits', `42${'9'.repeat(400)}["session:check",{}]`],
    ['an answer under no number', '43[]'],
    ['an answer that nests too deep', `431${lists(500)}`],
    ['an event of a namespace', '42/admin,["session:check",{}]'],
    ['a second CONNECT', '40{"version":1}'],
    ['a CONNECT of another namespace after its own', '40/admin,{"version":1}'],
  ])('%s', async (_, packet) => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    await using rough = await RawVisitor.arrive(app);
    rough.webSocket.send(packet);
    await rough.closed;
    await until(() => app.held().connections === 2, 'it is gone');
    await assertTalking(pair, 1);
  });

  test('more packets in one body of long-polling than it may send at all, before any is read', async () => {
    await using app = await startTestApp({ bounds: { packetsMax: 400 } });
    await using rough = await PollingVisitor.arrive(app);
    await rough.post(...Array.from({ length: 401 }, () => '42["nonsense"]')).catch(() => undefined); // it may be reset
    await until(() => app.held().connections === 0, 'it is cut');
    expect([
      app.metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' }),
      app.metrics.countOf('passerby_incidents_total', { kind: 'fast_sender' }),
    ]).toEqual([0, 1]);
  });

  test('more bytes than it may send at once, in few packets', async () => {
    const now = Date.now();
    await using app = await startTestApp({ bounds: { packetsMaxBytes: 200_000 }, clock: () => now });
    await using rough = await RawVisitor.arrive(app);
    for (let count = 0; count < 8; count++) rough.webSocket.send(`42["nonsense","${'x'.repeat(60_000)}"]`);
    await rough.closed;
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'fast_sender' })).toBe(1);
    // Three, and the one that was too much.
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' })).toBeLessThanOrEqual(4);
  });

  test('more bytes over long-polling than it may send at once, in characters of two bytes', async () => {
    const now = Date.now();
    await using app = await startTestApp({ bounds: { packetsMaxBytes: 100_000 }, clock: () => now });
    await using rough = await PollingVisitor.arrive(app);
    for (let count = 0; count < 3; count++)
      await rough.post(`42["nonsense","${'ä'.repeat(20_000)}"]`).catch(() => undefined); // the last one is cut
    await until(() => app.held().connections === 0, 'it is cut');
    expect([
      app.metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' }),
      app.metrics.countOf('passerby_incidents_total', { kind: 'fast_sender' }),
    ]).toEqual([2, 1]);
  });
});

describe('S29 CONNECT', () => {
  /** Joins with that, and resolves with the answer once the service has closed the connection. */
  const refusedOver = {
    websocket: async (app: App, packet: string) => {
      const rough = await RawVisitor.connect(app);
      rough.webSocket.send(packet);
      await rough.closed;
      return rough.packets.join('\n');
    },
    polling: async (app: App, packet: string) => {
      await using rough = await PollingVisitor.connect(app, SHOP.key, ORIGIN);
      await rough.post(packet);
      const answer = (await rough.poll()).join('\n');
      await until(() => app.held().connections === 0, 'it is closed');
      return answer;
    },
  };

  test.each(['websocket', 'polling'] as const)(
    'is answered with its refusal, which ends the connection, over %s',
    async (transport) => {
      await using app = await startTestApp({ bounds: { closeMs: 200 } });
      expect(await refusedOver[transport](app, '40{"version":99}')).toMatch(/^44\{.*"code":"server_too_old"/m);
      await until(() => app.held().connections === 0, 'it is closed');
      expect(await refusedOver[transport](app, '40/admin,{"version":1}')).toMatch(/^44\/admin,.*"Invalid namespace"/m);
      await until(() => app.held().connections === 0, 'it is closed');
      expect(sizesOf(app).sessions).toBe(0);
    },
  );

  test('is accepted once: ten at once, while the first is checked, open one session at most', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { admitConnect } = VisitorAuthenticator.prototype;
    VisitorAuthenticator.prototype.admitConnect = async function (address) {
      await held;
      return admitConnect.call(this, address);
    };
    try {
      await using app = await startTestApp();
      const rough = await RawVisitor.connect(app);
      for (let count = 0; count < 10; count++) rough.webSocket.send('40{"version":1}');
      await rough.closed;
      release();
      await using visitor = await Visitor.arrive(app);
      expect(visitor.ready.recovered).toBe(false);
      expect(sizesOf(app).sessions).toBe(1);
    } finally {
      VisitorAuthenticator.prototype.admitConnect = admitConnect;
    }
  });

  test('is not answered if it nests 2,000 deep or is too long', async () => {
    await using app = await startTestApp();
    for (const packet of [`40{"version":1,"x":${lists(1_900)}}`, `40{"version":1,"x":"${'x'.repeat(60_000)}"}`]) {
      expect(await refusedOver.websocket(app, packet)).not.toMatch(/^4[04]/m);
    }
  });
});
