import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { DEMO_SITE } from '../../src/sites/site-directory.ts';
import { startTestApp, until, Visitor } from '../harness.ts';
import { startInspected } from '../servers/inspector.ts';
import { PollingVisitor, writerTo } from './polling-visitor.ts';
import { head, RawConnection } from './raw-connection.ts';
import { RawVisitor } from './raw-visitor.ts';

const DEMO_ORIGIN = 'http://localhost:1';
const MEGABYTE = 1_000_000;
const POLLED_PACKETS_MAX = CONNECTION_LIMITS.unreadMaxPackets;

describe('WebSocket client that stops reading', () => {
  test('takes at most 20 MB while 60,000 messages of 1 kB are sent, is cut, and its peer is told', async () => {
    const { node, inspector } = await startInspected();
    await using reader = await RawVisitor.arrive(node, DEMO_SITE.keys[0]!, DEMO_ORIGIN);
    await using writer = await Visitor.arrive(node as unknown as App, {
      site: DEMO_SITE.keys[0]!,
      origin: DEMO_ORIGIN,
    });
    reader.find();
    await writer.find();
    const { conversationId } = await writer.next('conversation:started');
    await reader.packet('conversation:started');

    reader.stopReading();
    const before = await inspector.liveBytes();
    let most = 0;
    for (let seq = 1; seq <= 60_000; seq++) {
      writer.say(conversationId, seq, 'x'.repeat(1_000));
      if (seq % 1_000 > 0) continue;
      // Answered behind all that was said before.
      await writer.send('match:cancel', {});
      if (seq % 10_000 > 0) continue;
      most = Math.max(most, (await inspector.liveBytes()) - before);
    }

    expect(most).toBeLessThan(20 * MEGABYTE);
    expect(await writer.next('conversation:peer')).toEqual({ conversationId, presence: 'away' });
    reader.readOn();
    await reader.closed;
  });

  test('takes next to no memory while it sends 100,000 pings', async () => {
    const { node, inspector } = await startInspected();
    await using reader = await RawVisitor.arrive(node, DEMO_SITE.keys[0]!, DEMO_ORIGIN);
    reader.stopReading();
    const before = await inspector.liveBytes();
    let most = 0;
    for (let round = 0; round < 5; round++) {
      await reader.ping(20_000);
      most = Math.max(most, (await inspector.liveBytes()) - before);
    }
    expect(most).toBeLessThan(2 * MEGABYTE);
  });
});

test('takes next to no memory if it requests a thousand files at once, and reads none', async () => {
  const { node, inspector } = await startInspected();
  const before = await inspector.liveBytes();
  await using connection = await RawConnection.open(node);
  connection.stopReading();
  connection.write(head('GET /passerby-chat.js', []).repeat(1_000));
  for (let look = 0; look < 10; look++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await inspector.liveBytes()) - before).toBeLessThan(5 * MEGABYTE);
  }
});

test('answers a ping', async () => {
  await using app = await startTestApp();
  await using visitor = await RawVisitor.arrive(app);
  const pong = once(visitor.webSocket, 'pong');
  visitor.webSocket.ping('here?');
  expect(String(await pong)).toBe('here?');
});

test('does not cut a reading client for thousands of frames at once', async () => {
  await using app = await startTestApp();
  await using reader = await RawVisitor.arrive(app);
  await using writer = await RawVisitor.arrive(app);
  reader.find();
  writer.find();
  const { conversationId } = JSON.parse((await writer.packet('conversation:started')).replace(/^42\d+/, ''))[1];
  await reader.packet('conversation:started');
  const body = { kind: 'text', text: '' };
  for (let seq = 1; seq <= 4_000; seq++) writer.frame({ conversationId, run: 'r', seq, ack: 0, body });
  await reader.packet('"seq":4000,');
  expect(reader.packets.filter((packet) => packet.includes('"seq":'))).toHaveLength(4_000);
  expect(app.metrics.countOf('passerby_incidents_total', { kind: 'slow_reader' })).toBe(0);
});

describe('long-polling client that stops polling', () => {
  test(`gets ${POLLED_PACKETS_MAX} queued packets`, async () => {
    // No round of the service's own adds one.
    await using app = await startTestApp({ roundMs: 60_000 });
    await using reader = await PollingVisitor.arrive(app);
    await using pair = await writerTo(app, reader);
    for (let seq = 1; seq <= POLLED_PACKETS_MAX; seq++) pair.writer.say(pair.conversationId, seq, 'hi');
    await pair.writer.send('match:cancel', {});
    expect(await reader.poll()).toHaveLength(POLLED_PACKETS_MAX);
  });

  test('is cut at one packet more, its peer is told, and it can come back', async () => {
    await using app = await startTestApp();
    await using reader = await PollingVisitor.arrive(app);
    await using pair = await writerTo(app, reader);
    const { writer, conversationId } = pair;
    for (let seq = 1; seq <= POLLED_PACKETS_MAX + 1; seq++) writer.say(conversationId, seq, 'hi');
    expect(await writer.next('conversation:peer')).toEqual({ conversationId, presence: 'away' });
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'slow_reader' })).toBe(1);
    expect(app.held().connections).toBe(1);
    await expect(reader.poll()).rejects.toThrow('Session ID unknown');

    const { resume } = JSON.parse(reader.packets.find((packet) => packet.includes('session:ready'))!.slice(2))[1];
    await using back = await Visitor.arrive(app, { auth: { resume } });
    expect(back.ready).toMatchObject({ recovered: true, state: { conversation: { conversationId } } });
    expect(await writer.next('conversation:peer')).toEqual({ conversationId, presence: 'here' });
  });

  test('is cut if fewer packets exceed 256 KiB', async () => {
    await using app = await startTestApp();
    await using reader = await PollingVisitor.arrive(app);
    await using pair = await writerTo(app, reader);
    const { writer, conversationId } = pair;
    const text = 'é'.repeat(2_000);
    const packets = Math.floor(CONNECTION_LIMITS.unreadMaxBytes / 4_100);
    for (let seq = 1; seq <= packets - 2; seq++) writer.say(conversationId, seq, text);
    await writer.send('match:cancel', {});
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'slow_reader' })).toBe(0);
    for (let seq = packets - 1; seq <= packets + 1; seq++) writer.say(conversationId, seq, text);
    await writer.next('conversation:peer');
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'slow_reader' })).toBe(1);
  });

  test('is cut by answers to its own requests', async () => {
    await using app = await startTestApp();
    await using reader = await PollingVisitor.arrive(app);
    await reader.leaveUnread(POLLED_PACKETS_MAX + 1);
    await until(() => app.held().sockets === 0, 'the visitor is gone');
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'slow_reader' })).toBe(1);
  });

  test('is cut by a push to everybody', async () => {
    await using app = await startTestApp({ bounds: { unreadMaxPackets: 3 }, roundMs: 60_000 });
    await using reader = await PollingVisitor.arrive(app);
    await reader.leaveUnread(3);
    expect([app.held().sockets, app.metrics.countOf('passerby_incidents_total', { kind: 'slow_reader' })]).toEqual([
      1, 0,
    ]);
    await app.drain();
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'slow_reader' })).toBe(1);
  });
});
