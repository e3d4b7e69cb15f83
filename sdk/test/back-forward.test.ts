import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationId, SessionState } from '../src/protocol/index.ts';
import { FakeStorage } from './browser-tab.ts';
import { info, refusal, settle, stage, type Stage, staged } from './client-fixture.ts';

let window: EventTarget;
let document: { visibilityState: string };

beforeEach(() => {
  vi.useFakeTimers();
  window = new EventTarget();
  document = { visibilityState: 'visible' };
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', document);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const running: SessionState = { status: 'chatting', conversation: info('c1'), peer: 'here' };
const turn = (type: string, persisted: boolean): void => {
  window.dispatchEvent(Object.assign(new Event(type), { persisted }));
};

/** Puts the page into the back/forward cache, and closes its connection. */
function goAway(): void {
  document.visibilityState = 'hidden';
  window.dispatchEvent(new Event('visibilitychange'));
  turn('pagehide', true);
}

/** Shows the page again, as browsers do: it is visible before `pageshow`. */
function comeBack(scene: Stage): void {
  scene.line.lose();
  document.visibilityState = 'visible';
  window.dispatchEvent(new Event('visibilitychange'));
  turn('pageshow', true);
}

/** Page in conversation c1, now in the back/forward cache. */
async function cached(storage: FakeStorage): Promise<Stage> {
  const scene = await staged('c1', { storage });
  scene.chat.send('first');
  await settle();
  goAway();
  return scene;
}

/** Next page of the tab, which continued the conversation. */
async function nextPage(storage: FakeStorage): Promise<Stage> {
  const next = stage({ storage });
  await next.chat.resume();
  next.line.ready(running);
  next.chat.send('second');
  await settle();
  return next;
}

describe('page that comes back from the back/forward cache', () => {
  test('continues from what the next page of its tab left, with the token of that page', async () => {
    const storage = new FakeStorage();
    const scene = await cached(storage);
    const next = await nextPage(storage);
    const { text } = storage;
    comeBack(scene);
    expect(scene.state()).toMatchObject({ status: 'chatting', messages: [{ text: 'first' }, { text: 'second' }] });
    expect(scene.lines).toHaveLength(2);
    expect(text).toContain(scene.line.resume!);
    expect(scene.line.resume).not.toBe(next.lines[0]?.resume);
    await settle();
    expect(storage.text).toBe(text);
    scene.line.ready(running);
    expect(scene.line.frames).toMatchObject([{ body: { text: 'first' } }, { body: { text: 'second' } }]);
    expect(scene.names()).toEqual(['started']);
  });

  test('drops a conversation that the next page left', async () => {
    const storage = new FakeStorage();
    const scene = await cached(storage);
    const next = await nextPage(storage);
    void next.chat.leave();
    await next.line.answer('conversation:leave', { status: 'left', next: null });
    comeBack(scene);
    expect(scene.status()).toBe('idle');
    expect(scene.events.at(-1)).toMatchObject(['ended', { conversationId: 'c1', reason: 'you_left' }]);
    await settle(120_000);
    expect(scene.lines).toHaveLength(1);
    void scene.chat.find();
    expect(scene.line.resume).toBeUndefined();
  });

  test('stops a search that the next page cancelled', async () => {
    const storage = new FakeStorage();
    const scene = stage({ storage });
    const found = refusal(scene.chat.find());
    scene.line.ready();
    await settle();
    expect(storage.text).not.toBeNull();
    goAway();
    storage.text = null;
    comeBack(scene);
    expect(await found).toMatchObject({ code: 'aborted' });
    expect(scene.status()).toBe('idle');
  });

  test('continues its own conversation if no other page continued it', async () => {
    const scene = await cached(new FakeStorage());
    comeBack(scene);
    expect(scene.lines).toHaveLength(2);
    expect(scene.line.resume).toMatch(/^r_/);
    scene.line.ready(running);
    expect(scene.line.frames).toMatchObject([{ body: { text: 'first' } }]);
  });

  test('continues its own conversation without storage as well', async () => {
    const scene = await staged();
    goAway();
    comeBack(scene);
    scene.line.ready(running);
    expect(scene.status()).toBe('chatting');
    expect(scene.lines).toHaveLength(2);
  });

  test.each(['idle', 'after a conversation'])(
    'without a search or conversation, %s, continues what another page began',
    async (how) => {
      const storage = new FakeStorage();
      const scene = how === 'idle' ? stage({ storage }) : await staged('c0', { storage });
      if (how === 'idle') {
        void scene.chat.connect();
        scene.line.ready();
      } else scene.line.push('conversation:ended', { conversationId: 'c0' as ConversationId, reason: 'peer_left' });
      await settle();
      goAway();
      const next = await staged('c1', { storage });
      next.chat.send('from there');
      await settle();

      comeBack(scene);
      await settle();
      expect(scene.chat.snapshot().state).toMatchObject({ status: 'chatting', conversationId: 'c1' });
      await scene.chat.close();
    },
  );

  test('removes nothing that another page wrote before it is shown', async () => {
    const storage = new FakeStorage();
    const scene = await cached(storage);
    await nextPage(storage);
    const { text } = storage;
    scene.line.push('session:superseded', {});
    expect(storage.text).toBe(text);
  });
});

test('does not read the storage if it was only hidden', async () => {
  const storage = new FakeStorage();
  const scene = await staged('c1', { storage });
  await settle();
  storage.text = null;
  turn('pageshow', false);
  expect(scene.state()).toMatchObject({ status: 'chatting', conversationId: 'c1' as ConversationId });
});
