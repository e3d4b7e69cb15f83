import type { Socket } from 'node:net';
import { FRAME_EVENT } from '@passerby/sdk/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FairScheduler } from '../../src/rate-limiting/fair-scheduler.ts';
import { startTestApp, until, Visitor } from '../harness.ts';
import { PollingVisitor } from './polling-visitor.ts';
import { RawVisitor } from './raw-visitor.ts';

const FRAMES = 30;
const TEXTS = Array.from({ length: FRAMES }, (_, n) => ({ kind: 'text', text: `line ${n}` }));

/** Packets of a visitor who sends all that, and then leaves. */
const burst = (conversationId: string) => [
  ...TEXTS.map(
    (body, n) => `42${JSON.stringify([FRAME_EVENT, { conversationId, run: 'r', seq: n + 1, ack: 0, body }])}`,
  ),
  `4299${JSON.stringify(['conversation:leave', { conversationId }])}`,
];

async function expectAllHeard(peer: Visitor): Promise<void> {
  const { reason } = await peer.next('conversation:ended');
  expect(reason).toBe('peer_left');
  expect(peer.all('conversation:frame').map(({ body }) => body)).toEqual(TEXTS);
}

describe('S29 a burst followed by a close is processed completely and in order', () => {
  afterEach(() => vi.restoreAllMocks());

  it('over a WebSocket that closes while its packets wait for their turns', async () => {
    await using app = await startTestApp();
    await using rough = await RawVisitor.arrive(app);
    await using peer = await Visitor.arrive(app);
    rough.find();
    await peer.find();
    const { conversationId } = await peer.next('conversation:started');
    await rough.packet('conversation:started');

    // A process with so much to do that no packet is read for now.
    const { wait } = FairScheduler.prototype;
    const held: (() => void)[] = [];
    const mayBegin = vi.spyOn(FairScheduler.prototype, 'mayBegin').mockReturnValue(false);
    const waiting = vi.spyOn(FairScheduler.prototype, 'wait').mockImplementation(function (this: FairScheduler, piece) {
      held.push(() => wait.call(this, piece));
    });
    const { _socket: tcp } = rough.webSocket as unknown as { _socket: Socket };
    tcp.cork();
    for (const packet of burst(conversationId)) rough.webSocket.send(packet);
    rough.webSocket.close();
    tcp.uncork();
    await rough.closed;
    mayBegin.mockRestore();
    waiting.mockRestore();
    for (const release of held) release();

    await expectAllHeard(peer);
    await until(() => app.held().connections === 1, 'it is gone');
    expect(app.metrics.countOf('passerby_incidents_total', { kind: 'fast_sender' })).toBe(0);
  });

  it('over long-polling, in one body with the close', async () => {
    await using app = await startTestApp();
    await using rough = await PollingVisitor.arrive(app);
    await using peer = await Visitor.arrive(app);
    await rough.find();
    await peer.find();
    const { conversationId } = await peer.next('conversation:started');
    await rough.pollFor('conversation:started');
    await rough.post(...burst(conversationId), '1');
    await expectAllHeard(peer);
    await until(() => app.held().connections === 1, 'it is gone');
  });
});
