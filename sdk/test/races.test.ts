import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationId } from '../src/protocol/index.ts';
import { info, POLICY, refusal, settle, stage, staged, type Stage } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const c1 = 'c1' as ConversationId;
const c2 = 'c2' as ConversationId;

async function waiting(): Promise<Stage> {
  const scene = stage();
  const found = scene.chat.find({ topic: 'first' });
  scene.line.ready();
  await scene.line.answer('match:find', { status: 'waiting' });
  await found;
  return scene;
}

const start = (scene: Stage, id: string): void =>
  scene.line.push('conversation:started', { ...info(id), policy: POLICY });
const asked = (scene: Stage): string[] => scene.line.log.map(({ name }) => name);

describe('race of cancel and match', () => {
  test('cancel wins: the wait is over once the service confirms it', async () => {
    const scene = await waiting();
    const cancelled = scene.chat.cancel();
    expect(scene.status()).toBe('waiting');
    await scene.line.answer('match:cancel', { status: 'cancelled' });
    expect(await cancelled).toBe('cancelled');
    expect(scene.status()).toBe('idle');
  });

  test('the match wins, its push after the reply: a conversation starts', async () => {
    const scene = await waiting();
    const cancelled = scene.chat.cancel();
    await scene.line.answer('match:cancel', { status: 'already_matched' });
    expect(await cancelled).toBe('already_matched');
    start(scene, 'c1');
    expect(scene.status()).toBe('chatting');
  });

  test('the match wins, its push before the reply: a conversation starts', async () => {
    const scene = await waiting();
    const cancelled = scene.chat.cancel();
    start(scene, 'c1');
    expect(await cancelled).toBe('already_matched');
    await scene.line.answer('match:cancel', { status: 'already_matched' });
    await settle(30_000);
    expect(scene.status()).toBe('chatting');
    expect(scene.names()).toEqual(['started']);
    expect(scene.lines).toHaveLength(1);
  });

  test('a promised match that never comes ends the wait', async () => {
    const scene = await waiting();
    void scene.chat.cancel();
    await scene.line.answer('match:cancel', { status: 'already_matched' });
    await settle(5_001);
    scene.line.ready({ status: 'chatting', conversation: info('c1'), peer: 'here' });
    expect(scene.status()).toBe('chatting');
  });

  test('cancel in a conversation has no effect', async () => {
    const scene = await staged();
    expect(await scene.chat.cancel()).toBe('already_matched');
    expect(scene.status()).toBe('chatting');
  });

  test('an unanswered cancel ends for the visitor in time, and is sent again', async () => {
    const scene = await waiting();
    const cancelled = scene.chat.cancel();
    await settle(5_000);
    expect(await cancelled).toBe('cancelled');
    expect(scene.status()).toBe('idle');
    expect(scene.line.pending).toEqual(['match:cancel']);
  });

  test('two cancels are sent once', async () => {
    const scene = await waiting();
    const both = Promise.all([scene.chat.cancel(), scene.chat.cancel()]);
    await scene.line.answer('match:cancel', { status: 'cancelled' });
    expect(await both).toEqual(['cancelled', 'cancelled']);
    expect(asked(scene)).toEqual(['match:find', 'match:cancel']);
  });

  test('a search during a pending cancel ends in a search', async () => {
    const scene = await waiting();
    const cancelled = scene.chat.cancel();
    const found = scene.chat.find({ topic: 'second' });
    expect(await cancelled).toBe('cancelled');
    await scene.line.answer('match:cancel', { status: 'cancelled' });
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
    expect(scene.status()).toBe('waiting');
    expect(scene.line.log.at(-1)?.payload).toMatchObject({ topic: 'second' });
  });
});

describe('find and cancel while connecting', () => {
  test('sends nothing to the service, and the find rejects', async () => {
    const scene = stage();
    const found = refusal(scene.chat.find());
    expect(await scene.chat.cancel()).toBe('cancelled');
    expect(await found).toMatchObject({ code: 'aborted' });
    expect(scene.status()).toBe('idle');
    scene.line.ready();
    await settle(30_000);
    expect(asked(scene)).toEqual([]);
  });

  test('find, cancel, find searches once', async () => {
    const scene = stage();
    const first = refusal(scene.chat.find({ topic: 'a' }));
    await scene.chat.cancel();
    await first;
    void scene.chat.find({ topic: 'b' });
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    expect(scene.line.log.map(({ payload }) => payload.topic as string)).toEqual(['b']);
  });

  test('a cancel during an unanswered find is sent after it', async () => {
    const scene = stage();
    const found = scene.chat.find();
    scene.line.ready();
    await settle();
    const cancelled = scene.chat.cancel();
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
    await scene.line.answer('match:cancel', { status: 'cancelled' });
    expect(await cancelled).toBe('cancelled');
    expect(scene.status()).toBe('idle');
  });
});

describe('race of leave and match', () => {
  test('leave is final: a later match is declined silently', async () => {
    const scene = await waiting();
    const stopped = scene.chat.leave();
    expect(scene.status()).toBe('idle');
    start(scene, 'c1');
    await scene.line.answer('match:cancel', { status: 'already_matched' });
    await stopped;
    expect(scene.line.log.at(-1)).toEqual({ name: 'conversation:leave', payload: { conversationId: 'c1' } });
    await scene.line.answer('conversation:leave', { status: 'left', next: null });
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'you_left' });
    expect(scene.events).toEqual([]);
    expect(scene.status()).toBe('idle');
  });

  test('a match of a cancelled search does not count for the next one', async () => {
    const scene = await waiting();
    void scene.chat.leave();
    const found = scene.chat.find({ topic: 'second' });
    start(scene, 'c1');
    expect(scene.status()).toBe('waiting');
    await scene.line.answer('match:cancel', { status: 'already_matched' });
    expect(scene.line.log.at(-1)).toMatchObject({
      name: 'conversation:leave',
      payload: { conversationId: 'c1', next: { topic: 'second' } },
    });
    await scene.line.answer('conversation:leave', { status: 'left', next: 'matched' });
    await found;
    start(scene, 'c2');
    expect(scene.state()).toMatchObject({ status: 'chatting', conversationId: 'c2' });
    expect(scene.names()).toEqual(['started']);
  });

  test('nor if the reply comes first', async () => {
    const scene = await waiting();
    void scene.chat.leave();
    void scene.chat.find({ topic: 'second' });
    await scene.line.answer('match:cancel', { status: 'already_matched' });
    await scene.line.refuse('match:find', { code: 'already_in_conversation' });
    start(scene, 'c1');
    expect(scene.status()).toBe('waiting');
    expect(scene.line.log.at(-1)).toMatchObject({ name: 'conversation:leave', payload: { next: { topic: 'second' } } });
  });

  test('a second leave has no further effect', async () => {
    const scene = await waiting();
    const both = Promise.all([scene.chat.leave(), scene.chat.leave()]);
    await scene.line.answer('match:cancel', { status: 'cancelled' });
    await both;
    expect(asked(scene)).toEqual(['match:find', 'match:cancel']);
  });
});

describe('skip', () => {
  test("against the peer's end gives one end, and continues the search", async () => {
    const scene = await staged();
    void scene.chat.skip();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    await scene.line.answer('conversation:leave', { status: 'left', next: 'waiting' });
    expect(scene.names()).toEqual(['started', 'ended']);
    expect(scene.status()).toBe('waiting');
  });

  test('the next match may come before the reply', async () => {
    const scene = await staged();
    const skipped = scene.chat.skip();
    start(scene, 'c2');
    await skipped;
    await scene.line.answer('conversation:leave', { status: 'left', next: 'matched' });
    await settle(30_000);
    expect(scene.state()).toMatchObject({ status: 'chatting', conversationId: 'c2' });
    expect(scene.lines).toHaveLength(1);
  });

  test('late events of the old conversation do not affect the new one', async () => {
    const scene = await staged();
    scene.chat.send('for the first stranger');
    void scene.chat.skip();
    start(scene, 'c2');
    const before = scene.state();
    scene.line.frame('c1', 1, { kind: 'text', text: 'late' });
    scene.line.frame('c1', 0, { kind: 'typing', on: true });
    scene.line.frame('c1', 0, { kind: 'ack' }, 1);
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'away' });
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    start(scene, 'c1');
    expect(scene.state()).toBe(before);
    expect(scene.names()).toEqual(['started', 'ended', 'started']);
    await settle(120_000);
    expect(scene.line.frames.filter(({ conversationId }) => conversationId === c2)).toEqual([]);
  });

  test('twice in a row skips one stranger, not two', async () => {
    const scene = await staged();
    const both = Promise.all([scene.chat.skip(), scene.chat.skip()]);
    await scene.line.answer('conversation:leave', { status: 'left', next: 'waiting' });
    await both;
    expect(asked(scene).filter((name) => name === 'conversation:leave')).toHaveLength(1);
    expect(scene.status()).toBe('waiting');
  });

  test('then leave at once ends without a search', async () => {
    const scene = await staged();
    const skipped = refusal(scene.chat.skip());
    void scene.chat.leave();
    expect(await skipped).toMatchObject({ code: 'aborted' });
    expect(scene.status()).toBe('idle');
    await scene.line.answer('conversation:leave', { status: 'left', next: 'waiting' });
    await scene.line.answer('match:cancel', { status: 'cancelled' });
    expect(scene.line.pending).toEqual([]);
  });
});

describe('listeners that call the chat', () => {
  test('a listener may leave a conversation that has just started', async () => {
    const scene = stage();
    scene.chat.on('started', () => void scene.chat.leave());
    const order: string[] = [];
    scene.chat.on('started', () => order.push('started'));
    scene.chat.on('ended', () => order.push('ended'));
    void scene.chat.find();
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    start(scene, 'c1');
    expect(scene.status()).toBe('idle');
    expect(order).toEqual(['started', 'ended']);
  });

  test('a listener may leave during a burst of messages: the rest is not emitted', async () => {
    const scene = await staged();
    scene.chat.on('message', () => void scene.chat.leave());
    scene.line.frame('c1', 1, { kind: 'text', text: 'one' });
    scene.line.frame('c1', 2, { kind: 'text', text: 'two' });
    expect(scene.names()).toEqual(['started', 'message', 'ended']);
  });

  test('a listener may close in any event', async () => {
    const scene = await staged();
    scene.chat.on('change', () => void scene.chat.close());
    scene.line.frame('c1', 1, { kind: 'text', text: 'one' });
    await settle(2_000);
    expect(scene.status()).toBe('closed');
    expect(vi.getTimerCount()).toBe(0);
  });

  for (const status of ['connecting', 'waiting'])
    test(`a listener may close as soon as the chat is ${status}: no connection is opened after it`, async () => {
      const scene = stage();
      scene.chat.on('change', ({ state, connection }) => {
        if ([state.status, connection.status].includes(status as never)) void scene.chat.close();
      });
      const found = refusal(scene.chat.find());
      await settle(60_000);
      expect(await found).toMatchObject({ code: 'closed' });
      expect(scene.lines.filter(({ isOpen }) => isOpen)).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
    });

  test('a listener may leave at the change that shows the conversation: ended is emitted after started', async () => {
    const scene = await waiting();
    scene.chat.on('change', ({ state }) => {
      if (state.status === 'chatting') void scene.chat.leave();
    });
    start(scene, 'c1');
    expect(scene.names()).toEqual(['started', 'ended']);
  });

  test('a throwing listener does not affect the chat', async () => {
    vi.stubGlobal('reportError', vi.fn());
    const scene = await staged();
    scene.chat.on('message', () => {
      throw new Error('bug in the page');
    });
    scene.line.frame('c1', 1, { kind: 'text', text: 'one' });
    scene.line.frame('c1', 2, { kind: 'text', text: 'two' });
    expect(scene.state()).toMatchObject({ messages: [{ text: 'one' }, { text: 'two' }] });
    vi.unstubAllGlobals();
  });
});
