import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { assertTalking, pairOf, startTestApp, until } from '../harness.ts';
import { PollingVisitor } from './polling-visitor.ts';
import { RawConnection } from './raw-connection.ts';
import { RawVisitor } from './raw-visitor.ts';
import { OPCODE, webSocketFrame } from './web-socket-frame.ts';

/** Packet limits of a connection, without the factor of the other tests. */
const { packetsMax, packetsMs } = CONNECTION_LIMITS;
const FAST = packetsMax + 1_000;
const WITHOUT_ACK = '42["match:find",{}]';
const UNKNOWN = '42["nonsense",{}]';
const TYPING = `42${JSON.stringify(['conversation:frame', { conversationId: `c_${'x'.repeat(22)}`, run: 'r', seq: 0, ack: 0, body: { kind: 'typing', on: true } }])}`;

/** Runs an attack beside a pair, and asserts that only the attacker was cut, once. */
async function besidePair(attack: (app: App) => Promise<void>): Promise<App['metrics']> {
  // The clock stands still: no time passes in which more may come.
  const now = Date.now();
  await using app = await startTestApp({ bounds: { packetsMax, packetsMs }, clock: () => now });
  await using pair = await pairOf(app);
  await using other = await pairOf(app, { transports: ['polling'] });
  await attack(app);
  await until(() => app.held().connections === 4, 'it is cut');
  expect(app.metrics.countOf('passerby_incidents_total', { kind: 'fast_sender' })).toBe(1);
  await assertTalking(pair, 1);
  await assertTalking(other, 1);
  return app.metrics;
}

describe('S6 cuts a connection that sends too many packets', () => {
  test.each([
    ['requests that ask for no answer', WITHOUT_ACK],
    ['events there are none of', UNKNOWN],
    ['frames that may be lost', TYPING],
  ])('over a WebSocket: %s', async (_, packet) => {
    const metrics = await besidePair(async (app) => {
      await using rough = await RawVisitor.arrive(app);
      for (let sent = 0; sent < FAST; sent++) rough.webSocket.send(packet);
      await rough.closed;
    });
    const read =
      metrics.countOf('passerby_incidents_total', { kind: 'request_without_ack' }) +
      metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' }) +
      metrics.countOf('passerby_frames_dropped_total', { fault: 'not_paired' });
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThanOrEqual(packetsMax);
  });

  test('over a WebSocket: pings', async () => {
    await besidePair(async (app) => {
      await using rough = await RawVisitor.arrive(app);
      await rough.ping(FAST).catch(() => undefined); // it may be cut before the last is sent
      await rough.closed;
    });
  });

  test('over long-polling, in one body', async () => {
    const metrics = await besidePair(async (app) => {
      await using rough = await PollingVisitor.arrive(app);
      await rough.post(...Array.from({ length: FAST }, () => UNKNOWN)).catch(() => undefined); // nor is it answered
    });
    expect(metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' })).toBeLessThanOrEqual(packetsMax);
  });

  test('over a WebSocket upgrade that is announced repeatedly', async () => {
    const now = Date.now();
    await using app = await startTestApp({ bounds: { packetsMax, packetsMs }, clock: () => now });
    await using visitor = await PollingVisitor.arrive(app);
    await using connection = await RawConnection.upgraded(app, visitor.sid);
    connection.write(Buffer.concat(Array.from({ length: FAST }, () => webSocketFrame(OPCODE.text, '2probe'))));
    await until(() => connection.isClosed, 'it is cut');
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'fast_sender' })).toBe(1);
  });
});

describe('a client that has to send many packets', () => {
  test('is not cut for a burst, nor for another one after the window', async () => {
    let now = Date.now();
    await using app = await startTestApp({ bounds: { packetsMax, packetsMs }, clock: () => now });
    await using visitor = await RawVisitor.arrive(app);
    for (let round = 1; round <= 3; round++) {
      for (let sent = 0; sent < packetsMax - 20; sent++) visitor.webSocket.send(TYPING);
      await until(
        () =>
          app.metrics.countOf('passerby_frames_dropped_total', { fault: 'not_paired' }) === round * (packetsMax - 20),
        'all are read',
      );
      now += packetsMs;
    }
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'fast_sender' })).toBe(0);
  });

  test('is not cut if RATE_LIMIT_FACTOR permits it', async () => {
    const now = Date.now();
    await using app = await startTestApp({ config: { RATE_LIMIT_FACTOR: 10 }, clock: () => now });
    await using visitor = await RawVisitor.arrive(app);
    for (let sent = 0; sent < FAST; sent++) visitor.webSocket.send(UNKNOWN);
    await until(
      () => app.metrics.countOf('passerby_incidents_total', { kind: 'unknown_event' }) === FAST,
      'all are read',
    );
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'fast_sender' })).toBe(0);
  });
});
