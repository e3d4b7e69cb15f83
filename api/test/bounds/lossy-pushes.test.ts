import { describe, expect, test } from 'vitest';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { startTestApp, until, Visitor } from '../harness.ts';
import { PollingVisitor, writerTo } from './polling-visitor.ts';
import { RawVisitor } from './raw-visitor.ts';

/** Interval without a round of the service's own that sends the number online. Milliseconds. */
const NO_ROUND_MS = 60_000;
const BEHIND_PACKETS = CONNECTION_LIMITS.unreadLossyMaxPackets;
const typing = (conversationId: string) => ({
  conversationId,
  run: 'run',
  seq: 0,
  ack: 0,
  body: { kind: 'typing', on: true },
});
const seqs = (packets: readonly string[]) =>
  packets.flatMap((packet) => /"seq":(\d+)/.exec(packet)?.[1] ?? []).map(Number);

describe('pushes that may be lost', () => {
  test('wait for a reader between two polls', async () => {
    await using app = await startTestApp({ roundMs: NO_ROUND_MS });
    await using reader = await PollingVisitor.arrive(app);
    await using pair = await writerTo(app, reader);
    const { writer, conversationId } = pair;
    for (let seq = 1; seq < BEHIND_PACKETS; seq++) writer.say(conversationId, seq, 'hi');
    writer.socket.emit('conversation:frame', typing(conversationId));
    await writer.send('match:cancel', {});
    expect(seqs(await reader.poll()).at(-1)).toBe(0);
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'push_lost' })).toBe(0);
  });

  test('are not queued for a slow reader, unlike those that must arrive', async () => {
    await using app = await startTestApp({ roundMs: NO_ROUND_MS });
    await using reader = await PollingVisitor.arrive(app);
    await using pair = await writerTo(app, reader);
    const { writer, conversationId } = pair;
    for (let seq = 1; seq <= 2 * BEHIND_PACKETS; seq++) {
      writer.say(conversationId, seq, 'hi');
      if (seq >= BEHIND_PACKETS) writer.socket.emit('conversation:frame', typing(conversationId));
    }
    await writer.send('match:cancel', {});
    expect(seqs(await reader.poll())).toEqual(Array.from({ length: 2 * BEHIND_PACKETS }, (_, index) => index + 1));
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'push_lost' })).toBe(BEHIND_PACKETS + 1);
  });

  test('are not queued for a WebSocket that does not read, unlike those that must arrive', async () => {
    await using app = await startTestApp();
    await using reader = await RawVisitor.arrive(app);
    await using writer = await Visitor.arrive(app);
    reader.find();
    await writer.find();
    const { conversationId } = await writer.next('conversation:started');
    await reader.packet('conversation:started');
    reader.stopReading();
    let said = 0;
    // The system takes megabytes before anything waits here.
    while (app.metrics.countOf('passerby_incidents_total', { kind: 'push_lost' }) < 10) {
      writer.say(conversationId, ++said, 'x'.repeat(2_000));
      writer.socket.emit('conversation:frame', typing(conversationId));
      if (said % 8 === 0) await writer.send('match:cancel', {});
    }
    await writer.send('match:cancel', {});
    const lost = app.metrics.countOf('passerby_incidents_total', { kind: 'push_lost' });
    reader.readOn();
    await reader.packet(`"seq":${said},`);
    const heard = seqs(reader.packets);
    expect(heard.filter((seq) => seq > 0)).toEqual(Array.from({ length: said }, (_, index) => index + 1));
    expect(heard.filter((seq) => seq === 0)).toHaveLength(said - lost);
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'slow_reader' })).toBe(0);
  });

  test('site:presence is sent to readers, and not to a slow one', async () => {
    await using app = await startTestApp();
    await using prompt = await PollingVisitor.arrive(app);
    await using behind = await PollingVisitor.arrive(app);
    await prompt.pollFor('"min":2');
    await behind.leaveUnread(BEHIND_PACKETS);
    // Read in order, in as many turns.
    await behind.post('42["nonsense",{}]');
    await until(
      () => app.metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' }) === 1,
      'all before it are answered',
    );
    const others = await Promise.all(Array.from({ length: 4 }, () => Visitor.arrive(app)));
    await prompt.pollFor('"min":6');
    expect((await behind.poll()).filter((packet) => packet.includes('"min":6'))).toEqual([]);
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'push_lost' })).toBe(1);
    for (const other of others) other.socket.disconnect();
  });

  test('match:status is not queued for a slow reader', async () => {
    let now = Date.now();
    await using app = await startTestApp({ clock: () => now });
    await using waiting = await PollingVisitor.arrive(app);
    await waiting.find();
    await waiting.pollFor('waiting');
    now += 2_000;
    await waiting.pollFor('match:status');
    await waiting.leaveUnread(BEHIND_PACKETS - 1);
    await until(() => app.held().waits === 0, 'the first wait is over');
    await waiting.find();
    await until(() => app.held().waits === 1, 'the second one begins');
    now += 2_000;
    await until(() => app.metrics.countOf('passerby_incidents_total', { kind: 'push_lost' }) === 1, 'a report is lost');
    expect((await waiting.poll()).join()).not.toContain('match:status');
  });
});
