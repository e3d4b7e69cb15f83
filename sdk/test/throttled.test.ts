import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChatError, type ConversationId } from '../src/index.ts';
import type { Run } from '../src/protocol/index.ts';
import { info, refusal, settle, stage, staged, type Stage } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const c1 = 'c1' as ConversationId;
const running = { status: 'chatting', conversation: info('c1'), peer: 'here' } as const;

const throttle = (scene: Stage, retryAfterMs: number): void => {
  scene.line.push('conversation:throttled', { conversationId: c1, retryAfterMs });
};
/** Returns the numbers of the frames sent on the present connection. */
const numbers = (scene: Stage): number[] => scene.line.frames.map(({ seq }) => seq).filter((seq) => seq > 0);
const refusedSend = (scene: Stage): unknown => {
  try {
    return scene.chat.send('too fast');
  } catch (error) {
    return error;
  }
};
const statuses = (scene: Stage): unknown[] => {
  const state = scene.state();
  return state.status === 'chatting' || state.status === 'ended'
    ? state.messages.map((message) => message.from === 'me' && message.status)
    : [];
};

/** Client that sent three messages, and was throttled. */
async function throttled(retryAfterMs = 5_000): Promise<Stage> {
  const scene = await staged();
  for (const text of ['a', 'b', 'c']) scene.chat.send(text);
  throttle(scene, retryAfterMs);
  return scene;
}

describe('throttled conversation', () => {
  test('sends nothing numbered before the time is over, then all of it, in order', async () => {
    const scene = await throttled();
    await settle(4_999);
    expect(numbers(scene)).toEqual([1, 2, 3]);
    await settle(1);
    expect(numbers(scene)).toEqual([1, 2, 3, 1, 2, 3]);
    expect(statuses(scene)).toEqual(['sending', 'sending', 'sending']);
  });

  test('shows the time left', async () => {
    const scene = await throttled();
    expect(scene.events.at(-1)).toEqual([
      'error',
      expect.objectContaining({ code: 'rate_limited', retryAfterMs: 5_000 }),
    ]);
  });

  test('refuses to send with the time left, and accepts again when it is over', async () => {
    const scene = await throttled();
    await settle(2_000);
    expect(refusedSend(scene)).toMatchObject({ code: 'rate_limited', retryAfterMs: 3_000 });
    expect(refusedSend(scene)).toBeInstanceOf(ChatError);
    expect(statuses(scene)).toHaveLength(3);
    await settle(3_000);
    expect(refusedSend(scene)).toMatchObject({ text: 'too fast', status: 'sending' });
    expect(numbers(scene).at(-1)).toBe(4);
  });

  test('sends no typing meanwhile', async () => {
    const scene = await throttled();
    scene.line.frames.length = 0;
    scene.chat.typing(true);
    expect(scene.line.frames).toEqual([]);
  });

  test('does not send again what the peer acknowledges meanwhile', async () => {
    const scene = await throttled();
    scene.line.frame('c1', 0, { kind: 'ack' }, 2);
    expect(statuses(scene)).toEqual(['delivered', 'delivered', 'sending']);
    await settle(5_000);
    expect(numbers(scene)).toEqual([1, 2, 3, 3]);
  });

  test("acknowledges the peer's messages all the same", async () => {
    const scene = await throttled();
    scene.line.frames.length = 0;
    scene.line.frame('c1', 1, { kind: 'text', text: 'hey' });
    await settle(200);
    expect(scene.line.frames).toMatchObject([{ seq: 0, ack: 1, body: { kind: 'ack' } }]);
  });

  test('is extended by a longer time, and not shortened', async () => {
    const scene = await throttled();
    throttle(scene, 1_000);
    await settle(4_000);
    expect(numbers(scene)).toHaveLength(3);
    throttle(scene, 9_000);
    await settle(8_999);
    expect(numbers(scene)).toHaveLength(3);
    await settle(1);
    expect(numbers(scene)).toHaveLength(6);
  });

  test('does not affect another conversation', async () => {
    const scene = await staged();
    scene.line.push('conversation:throttled', { conversationId: 'c0' as ConversationId, retryAfterMs: 5_000 });
    expect(refusedSend(scene)).toMatchObject({ status: 'sending' });
  });
});

describe('throttled conversation with a lost connection', () => {
  test('keeps the time on the new connection', async () => {
    const scene = await throttled();
    scene.line.lose();
    await settle(1_000);
    scene.line.ready(running);
    expect(scene.lines).toHaveLength(2);
    expect(numbers(scene)).toEqual([]);
    expect(refusedSend(scene)).toMatchObject({ code: 'rate_limited', retryAfterMs: 4_000 });
    await settle(4_000);
    expect(numbers(scene)).toEqual([1, 2, 3]);
  });

  test('accepts an acknowledgement on the new connection before anything was sent on it', async () => {
    const scene = await throttled();
    const { run } = scene.line.frames[0]!;
    scene.line.lose();
    await settle(1_000);
    scene.line.ready(running);
    const frame = { conversationId: c1, run: 'peer' as Run, peerRun: run, seq: 0, ack: 3, body: { kind: 'ack' } };
    scene.line.push('conversation:frame', frame);
    expect(statuses(scene)).toEqual(['delivered', 'delivered', 'delivered']);
    await settle(10_000);
    expect(numbers(scene)).toEqual([]);
  });

  test('sends everything once connected, if the time ended before', async () => {
    const scene = await throttled(2_000);
    scene.line.lose();
    await settle(3_000);
    scene.line.ready(running);
    expect(numbers(scene)).toEqual([1, 2, 3]);
  });

  test("is not ended by the peer's return", async () => {
    const scene = await throttled();
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'away' });
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'here' });
    expect(numbers(scene)).toEqual([1, 2, 3]);
    await settle(5_000);
    expect(numbers(scene)).toEqual([1, 2, 3, 1, 2, 3]);
  });

  test('leaves no timer at the end, and reports undelivered messages', async () => {
    const scene = await throttled(60_000);
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    expect(statuses(scene)).toEqual(['undelivered', 'undelivered', 'undelivered']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('throttled search', () => {
  test('rejects with the time left, and can be repeated', async () => {
    const scene = stage();
    const found = refusal(scene.chat.find());
    scene.line.ready();
    await scene.line.refuse('match:find', { code: 'rate_limited', retryAfterMs: 3_000 });
    expect(await found).toMatchObject({ code: 'rate_limited', retryAfterMs: 3_000, retry: 'after_delay' });
    expect(scene.status()).toBe('idle');
    await settle(3_000);
    const again = scene.chat.find();
    await scene.line.answer('match:find', { status: 'waiting' });
    await again;
    expect(scene.status()).toBe('waiting');
  });
});

describe('refused session', () => {
  test.each(['banned', 'key_revoked', 'claims_refused'] as const)(
    'for %s stays refused, with the reason',
    async (code) => {
      const scene = await staged();
      scene.line.push('session:refused', {
        code,
        message: code,
        ...(code === 'banned' && { retryAfterMs: 3_600_000 }),
      });
      expect(scene.state()).toMatchObject({
        status: 'refused',
        error: { code, retryAfterMs: code === 'banned' ? 3_600_000 : undefined },
      });
      expect(scene.events.at(-1)).toEqual(['error', expect.objectContaining({ code })]);
      await settle(120_000);
      expect(scene.lines).toHaveLength(1);
    },
  );

  test('for a ban has the time left', async () => {
    const scene = stage();
    const found = refusal(scene.chat.find());
    scene.line.lose({ kind: 'refused', error: { code: 'banned', message: 'x', retryAfterMs: 3_600_000 } });
    expect(await found).toMatchObject({ code: 'banned', retryAfterMs: 3_600_000 });
    expect(scene.state()).toMatchObject({ status: 'refused', error: { code: 'banned', retryAfterMs: 3_600_000 } });
    expect(vi.getTimerCount()).toBe(0);
  });
});
