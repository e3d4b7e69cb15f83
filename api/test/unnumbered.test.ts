import { UNNUMBERED_KINDS } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { REPEATS } from '../src/moderation/spam-detector.ts';
import { DEFAULT_GUARD } from '../src/sites/settings.ts';
import { FREE, ORIGIN, pairOf, siteOf, startTestApp, until, Visitor } from './harness.ts';

const KIND_CASES = ['text', 'sticker', 'Typing', 'ack ', 'constructor'] as const;

describe('S27 unnumbered frame', () => {
  test.each(KIND_CASES)('of the kind "%s" is dropped and counted', async (kind) => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    const frame = { conversationId, run: 'run', ack: 0, body: { kind, text: 'hello', on: true } };
    for (const seq of [0, -0]) a.socket.emit('conversation:frame', { ...frame, seq } as never);
    a.say(conversationId, 1, 'numbered');
    expect((await b.next('conversation:frame')).seq).toBe(1);
    expect(app.metrics.countOf('passerby_frames_dropped_total', { fault: 'unnumbered' })).toBe(2);
  });

  test.each(UNNUMBERED_KINDS)('of the kind "%s" is relayed', async (kind) => {
    await using app = await startTestApp();
    await using pair = await pairOf(app);
    const { a, b, conversationId } = pair;
    const frame = { conversationId, run: 'run' as never, seq: 0, ack: 0, body: { kind, on: true } };
    a.socket.emit('conversation:frame', frame);
    expect((await b.next('conversation:frame')).body.kind).toBe(kind);
  });

  test('does not evade the detection of repeated texts', async () => {
    const guard = { ...DEFAULT_GUARD, proofOfWork: 'under_pressure' } as const;
    const site = { ...siteOf('pk_test_shop', [ORIGIN], {}, FREE), guard };
    await using app = await startTestApp({ siteList: [site] });
    await using spammer = await Visitor.arrive(app);
    for (let count = 0; count < REPEATS.suspect; count++) {
      await using visitor = await Visitor.arrive(app);
      await visitor.find({ topic: `t${count}` });
      expect(await spammer.find({ topic: `t${count}` })).toMatchObject({ ok: true });
      const { conversationId } = await spammer.next('conversation:started');
      const body = { kind: 'text', text: 'Meet me at cheap-advert.example right now' };
      spammer.socket.emit('conversation:frame', { conversationId, run: 'r' as never, seq: 0, ack: 0, body });
      await until(
        () => app.metrics.countOf('passerby_frames_dropped_total', { fault: 'unnumbered' }) === count + 1,
        'it is counted',
      );
      await spammer.ask('conversation:leave', { conversationId });
    }
    expect(await spammer.find()).toMatchObject({ ok: false, error: { code: 'proof_needed' } });
  });

  test('does not count for a conversation its sender is not in', async () => {
    const guard = { ...DEFAULT_GUARD, proofOfWork: 'under_pressure' } as const;
    await using app = await startTestApp({ siteList: [{ ...siteOf('pk_test_shop'), guard }] });
    await using liar = await Visitor.arrive(app);
    const body = { kind: 'text', text: 'Meet me at cheap-advert.example right now' };
    for (let count = 0; count < REPEATS.spam; count++) {
      const conversationId = `c_${String(count).padStart(22, 'x')}` as never;
      liar.socket.emit('conversation:frame', { conversationId, run: 'r' as never, seq: 0, ack: 0, body });
    }
    await until(
      () => app.metrics.countOf('passerby_frames_dropped_total', { fault: 'not_paired' }) === REPEATS.spam,
      'all are dropped',
    );
    expect(await liar.find()).toMatchObject({ ok: true });
  });
});
