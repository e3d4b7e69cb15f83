// Calls that `close()` cuts short are meant to reject; where a test is not about that, it looks away.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationId } from '../src/protocol/index.ts';
import { refusal, settle, stage, staged, type Stage } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * Every state of a chat, by the way that leads there. The effect of closing on a pending call has a test of its own.
 */
const scenes: Record<string, () => Promise<Stage>> = {
  idle: async () => stage(),
  connecting: async () => {
    const scene = stage();
    scene.chat.connect().catch(() => undefined);
    return scene;
  },
  connected: async () => {
    const scene = stage();
    void scene.chat.connect();
    scene.line.ready();
    return scene;
  },
  'looking before the line is up': async () => {
    const scene = stage();
    scene.chat.find().catch(() => undefined);
    return scene;
  },
  'asking to look': async () => {
    const scene = stage();
    scene.chat.find().catch(() => undefined);
    scene.line.ready();
    return scene;
  },
  waiting: async () => {
    const scene = stage();
    void scene.chat.find();
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'waiting' });
    return scene;
  },
  cancelling: async () => {
    const scene = await scenes['waiting']!();
    void scene.chat.cancel();
    return scene;
  },
  'waiting for the announced match': async () => {
    const scene = stage();
    void scene.chat.find();
    scene.line.ready();
    await scene.line.answer('match:find', { status: 'matched' });
    return scene;
  },
  'between two tries': async () => {
    const scene = stage();
    scene.chat.find().catch(() => undefined);
    scene.line.ready();
    await settle();
    await scene.line.refuse('match:find', { code: 'unavailable', retryAfterMs: 9_000 });
    return scene;
  },
  chatting: async () => {
    const scene = await staged();
    scene.chat.send('unacknowledged');
    scene.line.frame('c1', 1, { kind: 'text', text: 'not acknowledged yet' });
    scene.line.frame('c1', 0, { kind: 'typing', on: true });
    return scene;
  },
  'chatting without a line': async () => {
    const scene = await scenes['chatting']!();
    scene.line.lose();
    return scene;
  },
  draining: async () => {
    const scene = await staged('c1', { random: () => 0.5 });
    scene.line.push('session:draining', { reconnectAfterMs: 9_000 });
    return scene;
  },
  leaving: async () => {
    const scene = await staged();
    void scene.chat.leave();
    return scene;
  },
  skipping: async () => {
    const scene = await staged();
    scene.chat.skip().catch(() => undefined);
    return scene;
  },
  blocking: async () => {
    const scene = await staged();
    scene.chat.block().catch(() => undefined);
    return scene;
  },
  ended: async () => {
    const scene = await staged();
    scene.line.push('conversation:ended', { conversationId: 'c1' as ConversationId, reason: 'idle' });
    return scene;
  },
  refused: async () => {
    const scene = await staged();
    scene.line.push('session:refused', { code: 'origin_refused', message: 'no more' });
    return scene;
  },
  elsewhere: async () => {
    const scene = await staged();
    scene.line.push('session:superseded', {});
    return scene;
  },
};

describe('close', () => {
  test.each(Object.keys(scenes))(
    'while %s leaves no timer and no connection, and emits nothing after it',
    async (name) => {
      const scene = await scenes[name]!();
      const closed = scene.chat.close();
      expect(scene.chat.snapshot()).toMatchObject({ state: { status: 'closed' }, connection: { status: 'offline' } });
      const { length } = scene.events;
      const heard = vi.fn();
      scene.chat.on('change', heard);
      await settle(1_000);
      await closed;
      expect(vi.getTimerCount()).toBe(0);
      expect(scene.lines.filter((line) => line.isOpen)).toEqual([]);
      for (const line of scene.lines) {
        line.ready();
        line.frame('c1', 2, { kind: 'text', text: 'late' });
        line.lose();
      }
      await settle(120_000);
      expect(scene.events).toHaveLength(length);
      expect(heard).not.toHaveBeenCalled();
      expect(scene.status()).toBe('closed');
    },
  );

  test('ends the conversation, notifies the subscribers once, and closes the session on the service', async () => {
    const scene = await staged();
    const statuses: string[] = [];
    scene.chat.subscribe(({ state }) => statuses.push(state.status));
    const closed = scene.chat.close();
    expect(statuses).toEqual(['chatting', 'closed']);
    expect(scene.events.at(-1)).toMatchObject(['ended', { reason: 'you_left' }]);
    expect(scene.line.pending).toEqual(['session:close']);
    await scene.line.answer('session:close', { status: 'closed' });
    await closed;
    expect(scene.line.isOpen).toBe(false);
  });

  test('does not wait long for an unresponsive service', async () => {
    const scene = await staged();
    let isClosed = false;
    void scene.chat.close().then(() => (isClosed = true));
    await settle(1_000);
    expect(isClosed).toBe(true);
  });

  test('has no further effect the second time', async () => {
    const scene = await staged();
    expect(scene.chat.close()).toBe(scene.chat.close());
    expect(scene.line.log.filter(({ name }) => name === 'session:close')).toHaveLength(1);
  });

  test('rejects pending and later calls', async () => {
    const scene = stage();
    const connected = refusal(scene.chat.connect());
    const found = refusal(scene.chat.find());
    void scene.chat.close();
    expect(await connected).toMatchObject({ code: 'closed' });
    expect(await found).toMatchObject({ code: 'closed' });
    for (const call of [
      () => scene.chat.connect(),
      () => scene.chat.find(),
      () => scene.chat.skip(),
      () => scene.chat.block(),
    ]) {
      expect(await refusal(call())).toMatchObject({ code: 'closed' });
    }
    expect(() => scene.chat.send('hi')).toThrow(expect.objectContaining({ code: 'closed' }));
    await scene.chat.leave();
    expect(await scene.chat.cancel()).toBe('cancelled');
  });

  test('runs at the end of an `await using` block', async () => {
    const scene = stage();
    {
      await using chat = scene.chat;
      chat.connect().catch(() => undefined);
      scene.line.lose();
    }
    expect(scene.status()).toBe('closed');
    expect(vi.getTimerCount()).toBe(0);
  });
});
