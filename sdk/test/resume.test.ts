import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationId, SessionState } from '../src/protocol/index.ts';
import { FakeStorage } from './browser-tab.ts';
import { info, POLICY, settle, stage, type Stage, staged, type StageLine } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const c1 = 'c1' as ConversationId;
const running: SessionState = { status: 'chatting', conversation: info('c1'), peer: 'here' };
const texts = (scene: Stage): string[] => {
  const state = scene.state();
  if (state.status !== 'chatting' && state.status !== 'ended') throw new Error(state.status);
  return state.messages.map(({ from, text }) => `${from}: ${text}`);
};
const numbered = (line: StageLine): [number, unknown][] =>
  line.frames.filter(({ seq }) => seq > 0).map(({ seq, body }) => [seq, body['text']]);
const text = (words: string): { kind: 'text'; text: string } => ({ kind: 'text', text: words });

/** Unloads the page without notice, as pages do. */
function unload(scene: Stage): void {
  for (const line of scene.lines) line.close();
}

describe('state stored in the tab', () => {
  test('is empty before a search, also while connected', async () => {
    const storage = new FakeStorage();
    const scene = stage({ storage });
    void scene.chat.connect();
    scene.line.ready();
    await settle();
    expect(storage.writes).toBe(0);
  });

  test('is empty once the wait or the conversation is over', async () => {
    const storage = new FakeStorage();
    const scene = await staged('c1', { storage });
    await settle();
    expect(storage.text).not.toBeNull();
    scene.line.push('conversation:ended', { conversationId: c1, reason: 'peer_left' });
    await settle();
    expect(storage.text).toBeNull();
  });

  test.each(['close', 'leave'] as const)('is empty after %s', async (call) => {
    const storage = new FakeStorage();
    const scene = await staged('c1', { storage });
    const done = scene.chat[call]();
    await settle(1_000);
    if (call === 'leave') await scene.line.answer('conversation:leave', { status: 'left', next: null });
    await done;
    expect(storage.text).toBeNull();
  });

  test('is written before a frame that acknowledges it goes out', async () => {
    const storage = new FakeStorage();
    const scene = await staged('c1', { storage });
    await settle();
    scene.line.frame('c1', 1, text('hi'));
    const { writes } = storage;
    scene.chat.send('hello');
    expect(scene.line.frames.at(-1)).toMatchObject({ ack: 1 });
    expect(storage.writes).toBeGreaterThan(writes);
    expect(storage.text).toContain('"text":"hi"');
  });

  test('has a message of the peer before its acknowledgement goes out, also where a listener replies', async () => {
    const storage = new FakeStorage();
    const scene = await staged('c1', { storage });
    await settle();
    const order: string[] = [];
    const write = storage.write.bind(storage);
    storage.write = (kept) => {
      if (kept.includes('"text":"hi"')) order.push('stored');
      return write(kept);
    };
    const push = scene.line.frames.push.bind(scene.line.frames);
    scene.line.frames.push = (frame) => {
      order.push(`ack ${frame.ack}`);
      return push(frame);
    };
    // The peer's typing ends with its message: this event comes first.
    scene.chat.on('typing', ({ isTyping }) => {
      if (!isTyping) scene.chat.send('hello');
    });
    scene.line.frame('c1', 0, { kind: 'typing', on: true });
    scene.line.frame('c1', 1, text('hi'));
    expect(order.slice(0, 2)).toEqual(['stored', 'ack 1']);
  });

  test('has a message before it is sent', async () => {
    const storage = new FakeStorage();
    const scene = await staged('c1', { storage });
    await settle();
    const { frames } = scene.line;
    const framesWhenStored: number[] = [];
    const write = storage.write.bind(storage);
    storage.write = (kept) => {
      if (kept.includes('"text":"hello"')) framesWhenStored.push(frames.length);
      return write(kept);
    };
    scene.chat.send('hello');
    expect(framesWhenStored).toEqual([0]);
    expect(numbered(scene.line)).toEqual([[1, 'hello']]);
  });

  test('is not written again for what does not outlive the page: typing, presence, the progress of a wait', async () => {
    const storage = new FakeStorage();
    const scene = await staged('c1', { storage });
    scene.line.frame('c1', 1, text('hi'));
    await settle(1_000);
    const { writes } = storage;
    for (const on of [true, true, false, true]) {
      scene.line.frame('c1', 0, { kind: 'typing', on });
      await settle(500);
    }
    scene.chat.typing(true);
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'away' });
    scene.line.push('conversation:peer', { conversationId: c1, presence: 'here' });
    await settle(10_000);
    expect(scene.names()).toEqual([
      'started',
      'message',
      'typing',
      'typing',
      'typing',
      'typing',
      'presence',
      'presence',
    ]);
    expect(storage.writes).toBe(writes);

    void scene.chat.skip();
    await scene.line.answer('conversation:leave', { status: 'left', next: 'waiting' });
    await settle();
    const { writes: writesOfWait } = storage;
    for (const waitingForMs of [1_000, 2_000]) {
      scene.line.push('match:status', { waitingForMs, reach: 'site', widen: [] });
      await settle();
    }
    expect(scene.state()).toMatchObject({ status: 'waiting', progress: { waitingForMs: 2_000 } });
    expect(storage.writes).toBe(writesOfWait);
  });

  test('is read only if an SDK of this version wrote it', async () => {
    for (const junk of ['', '{', 'null', '7', '{"version":0}', '{"version":1,"resume":"no token"}']) {
      const storage = new FakeStorage();
      storage.text = junk;
      const scene = stage({ storage });
      expect(await scene.chat.resume()).toBe(false);
      expect(scene.lines).toEqual([]);
      expect(storage.text).toBeNull();
    }
  });
});

describe('conversation over a reload', () => {
  /** Conversation with a message, its page unloaded, and the next page that resumed it. */
  async function reloaded(before: (scene: Stage) => void, storage = new FakeStorage()): Promise<Stage> {
    const scene = await staged('c1', { storage });
    before(scene);
    await settle();
    unload(scene);
    const next = stage({ storage });
    expect(await next.chat.resume()).toBe(true);
    return next;
  }

  test('shows all messages at once, and continues with the same session', async () => {
    const next = await reloaded((scene) => {
      scene.chat.send('hello');
      scene.line.frame('c1', 1, text('hi'), 1);
      scene.chat.send('how are you?');
    });
    expect(texts(next)).toEqual(['me: hello', 'peer: hi', 'me: how are you?']);
    expect(next.chat.snapshot().connection.status).toBe('connecting');
    expect(next.line.resume).toMatch(/^r_/);
    next.line.ready(running);
    expect(next.names()).toEqual([]);
    expect(next.state()).toMatchObject({ status: 'chatting', peer: { presence: 'here' } });
  });

  test('sends unacknowledged messages under the same number, and nothing else', async () => {
    const next = await reloaded((scene) => {
      for (const words of ['a', 'b', 'c']) scene.chat.send(words);
      scene.line.frame('c1', 0, { kind: 'ack' }, 1);
    });
    next.line.ready(running);
    expect(numbered(next.line)).toEqual([
      [2, 'b'],
      [3, 'c'],
    ]);
  });

  test('accepts repeated messages of the peer once', async () => {
    const next = await reloaded((scene) => {
      scene.line.frame('c1', 1, text('hi'));
    });
    next.line.ready(running);
    next.line.frame('c1', 1, text('hi'));
    next.line.frame('c1', 2, text('still there?'));
    expect(texts(next)).toEqual(['peer: hi', 'peer: still there?']);
  });

  test('keeps messages sent while disconnected', async () => {
    const next = await reloaded((scene) => {
      scene.line.lose();
      scene.chat.send('hello?');
    });
    next.line.ready(running);
    expect(numbered(next.line)).toEqual([[1, 'hello?']]);
  });

  test('gives new messages unique ids', async () => {
    const next = await reloaded((scene) => {
      scene.chat.send('a');
      scene.chat.send('b');
    });
    next.line.ready(running);
    next.chat.send('c');
    const state = next.state();
    if (state.status !== 'chatting') throw new Error(state.status);
    expect(new Set(state.messages.map(({ id }) => id)).size).toBe(3);
  });

  test('ends once if it ended meanwhile, and reports undelivered messages', async () => {
    const next = await reloaded((scene) => {
      scene.chat.send('hello');
    });
    next.line.ready({ status: 'idle' });
    expect(next.state()).toMatchObject({ status: 'ended', reason: 'peer_left' });
    expect(next.events).toMatchObject([
      ['ended', { conversationId: 'c1', undelivered: [{ text: 'hello', status: 'undelivered' }] }],
    ]);
  });

  test('ends as service_reset if the service lost it', async () => {
    const next = await reloaded(() => undefined);
    next.line.ready({ status: 'idle' }, false);
    expect(next.state()).toMatchObject({ status: 'ended', reason: 'service_reset' });
  });

  test('survives two reloads in a row', async () => {
    const storage = new FakeStorage();
    const next = await reloaded((scene) => {
      scene.chat.send('a');
    }, storage);
    unload(next);
    const third = stage({ storage });
    await third.chat.resume();
    third.line.ready(running);
    expect(numbered(third.line)).toEqual([[1, 'a']]);
  });

  test('skips with the criteria of its search', async () => {
    const next = await reloaded(() => undefined);
    next.line.ready(running);
    void next.chat.skip();
    expect(next.line.log.at(-1)).toMatchObject({
      name: 'conversation:leave',
      payload: { conversationId: 'c1', next: { interests: ['tea'] } },
    });
  });

  test('continues without its messages if the quota is too small, and starts a new run', async () => {
    const storage = new FakeStorage();
    storage.room = 700;
    const next = await reloaded((scene) => {
      scene.line.frame('c1', 1, text('x'.repeat(1_000)));
    }, storage);
    next.line.ready(running);
    expect(texts(next)).toEqual([]);
    expect(next.line.frames).toMatchObject([{ seq: 0, ack: 0 }]);
    expect(next.line.frames[0]).not.toHaveProperty('peerRun');
    next.line.frame('c1', 1, text('again'), 0, 'peer-2');
    expect(texts(next)).toEqual(['peer: again']);
  });

  test('ends with the page without storage', async () => {
    const storage = new FakeStorage();
    storage.room = 0;
    const scene = await staged('c1', { storage });
    await settle();
    expect(storage.text).toBeNull();
    unload(scene);
    expect(await stage({ storage }).chat.resume()).toBe(false);
  });

  test('keeps the latest messages of a long conversation, and all unacknowledged ones', async () => {
    const storage = new FakeStorage();
    const next = await reloaded((scene) => {
      scene.chat.send('first of all');
      for (let seq = 1; seq <= 120; seq += 1) scene.line.frame('c1', seq, text(String(seq).padEnd(1_000, '.')));
    }, storage);
    expect(texts(next)[0]).toBe('me: first of all');
    expect(texts(next)).toHaveLength(101);
    expect(texts(next).at(-1)).toMatch(/^peer: 120/);
    expect(storage.text!.length).toBeLessThan(120_000);
  });
});

describe('other states over a reload', () => {
  test('a wait continues as the same wait', async () => {
    const storage = new FakeStorage();
    const scene = stage({ storage });
    const found = scene.chat.find({ interests: ['tea'] });
    scene.line.ready();
    const asked = scene.line.log[0]!.payload;
    await scene.line.answer('match:find', { status: 'waiting' });
    await found;
    unload(scene);
    const next = stage({ storage });
    expect(await next.chat.resume()).toBe(true);
    expect(next.status()).toBe('waiting');
    next.line.ready({ status: 'waiting', waitingForMs: 4_000 });
    expect(next.line.log).toEqual([{ name: 'match:find', payload: asked }]);
    await next.line.answer('match:find', { status: 'waiting' });
    next.line.push('conversation:started', { ...info('c1'), policy: POLICY });
    expect(next.status()).toBe('chatting');
  });

  test('a wait that was matched meanwhile becomes that conversation', async () => {
    const storage = new FakeStorage();
    const scene = stage({ storage });
    void scene.chat.find();
    scene.line.ready();
    await settle();
    unload(scene);
    const next = stage({ storage });
    await next.chat.resume();
    next.line.ready(running);
    expect(next.status()).toBe('chatting');
    expect(next.names()).toEqual(['started']);
  });

  test('a conversation left just before is left, and not resumed', async () => {
    const storage = new FakeStorage();
    const scene = await staged('c1', { storage });
    void scene.chat.leave();
    await settle();
    unload(scene);
    const next = stage({ storage });
    expect(await next.chat.resume()).toBe(false);
    expect(next.status()).toBe('idle');
    next.line.ready(running);
    expect(next.status()).toBe('idle');
    await next.line.answer('conversation:leave', { status: 'left', next: null });
    await settle();
    expect(storage.text).toBeNull();
    expect(next.names()).toEqual([]);
  });

  test('a conversation skipped just before is left and searched on', async () => {
    const storage = new FakeStorage();
    const scene = await staged('c1', { storage });
    void scene.chat.skip();
    await settle();
    unload(scene);
    const next = stage({ storage });
    expect(await next.chat.resume()).toBe(true);
    expect(next.status()).toBe('waiting');
    next.line.ready(running);
    expect(next.line.log).toMatchObject([
      { name: 'conversation:leave', payload: { conversationId: 'c1', next: { interests: ['tea'] } } },
    ]);
  });

  test('a conversation that was left in the same turn is not resumed', async () => {
    const scene = await staged('c1', { storage: new FakeStorage() });
    await settle();
    void scene.chat.leave();
    expect(await scene.chat.resume()).toBe(false);
    expect(scene.status()).toBe('idle');
  });

  test('a closed chat resumes nothing', async () => {
    const storage = new FakeStorage();
    await staged('c1', { storage });
    await settle();
    const next = stage({ storage });
    await next.chat.close();
    expect(await next.chat.resume()).toBe(false);
    expect(next.lines).toEqual([]);
  });
});
