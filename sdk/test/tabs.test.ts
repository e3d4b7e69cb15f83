import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversationId, SessionState } from '../src/protocol/index.ts';
import { FakeBrowser, FakeStorage } from './browser-tab.ts';
import { info, POLICY, refusal, settle, stage, type Stage } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const running: SessionState = { status: 'chatting', conversation: info('c1'), peer: 'here' };

/** Tab of this browser in conversation c1. */
async function talking(browser: FakeBrowser, storage = new FakeStorage()): Promise<Stage> {
  const scene = stage({ lock: browser.lock, storage });
  const found = scene.chat.find({ interests: ['tea'] });
  await settle();
  scene.line.ready();
  await scene.line.answer('match:find', { status: 'waiting' });
  await found;
  scene.line.push('conversation:started', { ...info('c1'), policy: POLICY });
  return scene;
}

describe('one tab has the chat', () => {
  test('a second tab that searches is elsewhere, without a request to the service', async () => {
    const browser = new FakeBrowser();
    await talking(browser);
    const second = stage({ lock: browser.lock });
    const refused = refusal(second.chat.find());
    expect(second.status()).toBe('waiting');
    expect(await refused).toMatchObject({ code: 'open_elsewhere' });
    expect(second.status()).toBe('elsewhere');
    expect(second.lines).toEqual([]);
  });

  test('a second tab does not even connect', async () => {
    const browser = new FakeBrowser();
    await talking(browser);
    const second = stage({ lock: browser.lock });
    expect(await refusal(second.chat.connect())).toMatchObject({ code: 'open_elsewhere' });
    expect(second.status()).toBe('elsewhere');
    expect(second.lines).toEqual([]);
  });

  test.each([
    [
      'ended',
      (scene: Stage) =>
        scene.line.push('conversation:ended', { conversationId: 'c1' as ConversationId, reason: 'peer_left' }),
    ],
    ['left', (scene: Stage) => void scene.chat.leave()],
    ['closed', (scene: Stage) => void scene.chat.close()],
  ])('once the conversation is %s, other tabs may have it', async (_, finish) => {
    const browser = new FakeBrowser();
    const first = await talking(browser);
    const second = stage({ lock: browser.lock });
    await refusal(second.chat.connect());
    finish(first);
    expect(second.status()).toBe('idle');
    void second.chat.find();
    await settle();
    expect(second.status()).toBe('waiting');
    expect(second.lines).toHaveLength(1);
  });

  test('a search that is aborted while the lock is requested leaves the chat to other tabs', async () => {
    const browser = new FakeBrowser();
    const scene = stage({ lock: browser.lock });
    const given = refusal(scene.chat.find());
    expect(await scene.chat.cancel()).toBe('cancelled');
    expect(await given).toMatchObject({ code: 'aborted' });
    expect(scene.status()).toBe('idle');
    expect(browser.isTaken).toBe(false);
    expect(scene.lines).toEqual([]);
  });

  test('find, cancel, find in one turn searches once', async () => {
    const browser = new FakeBrowser();
    const scene = stage({ lock: browser.lock });
    const first = refusal(scene.chat.find());
    void scene.chat.cancel();
    void scene.chat.find();
    expect(await first).toMatchObject({ code: 'aborted' });
    await settle();
    scene.line.ready();
    expect(scene.line.pending).toEqual(['match:find']);
    expect(browser.isTaken).toBe(true);
  });

  test('a search is stored for the next page from its beginning, also when connected', async () => {
    const browser = new FakeBrowser();
    const storage = new FakeStorage();
    const scene = stage({ lock: browser.lock, storage });
    const connected = scene.chat.connect();
    await settle();
    scene.line.ready();
    await connected;
    void scene.chat.find();
    await settle();
    expect(storage.text).toContain('"isSearching":true');
  });

  test('an aborted find restores the previous state', async () => {
    const browser = new FakeBrowser();
    const scene = stage({ lock: browser.lock });
    const abort = new AbortController();
    const given = refusal(scene.chat.find({}, { signal: abort.signal }));
    abort.abort();
    expect(await given).toMatchObject({ code: 'aborted' });
    expect(scene.status()).toBe('idle');
    expect(browser.isTaken).toBe(false);
  });
});

describe('takeOver', () => {
  test('moves the conversation with all messages; the first tab is elsewhere', async () => {
    const browser = new FakeBrowser();
    const storage = new FakeStorage();
    const first = await talking(browser, storage);
    first.chat.send('hello');
    const second = stage({ lock: browser.lock });
    await refusal(second.chat.find());
    await second.chat.takeOver();
    expect(second.state()).toMatchObject({ status: 'chatting', messages: [{ text: 'hello', status: 'sending' }] });
    expect(second.line.resume).toMatch(/^r_/);
    expect(first.status()).toBe('elsewhere');
    expect(first.line.isOpen).toBe(false);
    expect(first.names()).toEqual(['started']);
    expect(storage.text).toBeNull();
    second.line.ready(running);
    expect(second.line.frames).toMatchObject([{ seq: 1, body: { text: 'hello' } }]);
  });

  test('moves it back again', async () => {
    const browser = new FakeBrowser();
    const first = await talking(browser);
    const second = stage({ lock: browser.lock });
    await refusal(second.chat.find());
    await second.chat.takeOver();
    second.line.ready(running);
    second.line.frame('c1', 1, { kind: 'text', text: 'hi' });
    await first.chat.takeOver();
    expect(second.status()).toBe('elsewhere');
    first.line.ready(running);
    expect(first.state()).toMatchObject({ status: 'chatting', messages: [{ text: 'hi' }] });
    first.line.frame('c1', 1, { kind: 'text', text: 'hi' });
    expect(first.state()).toMatchObject({ messages: [{ text: 'hi' }] });
  });

  test('moves a wait', async () => {
    const browser = new FakeBrowser();
    const first = stage({ lock: browser.lock });
    const found = first.chat.find({ interests: ['tea'] });
    await settle();
    first.line.ready();
    await first.line.answer('match:find', { status: 'waiting' });
    await found;
    const second = stage({ lock: browser.lock });
    await refusal(second.chat.connect());
    await second.chat.takeOver();
    expect(second.status()).toBe('waiting');
    expect(first.status()).toBe('elsewhere');
    second.line.ready({ status: 'waiting', waitingForMs: 1_000 });
    expect(second.line.pending).toEqual(['match:find']);
  });

  test('starts anew if the other tab is frozen, which learns of it when it wakes up', async () => {
    const browser = new FakeBrowser();
    const first = await talking(browser);
    browser.isHolderFrozen = true;
    const second = stage({ lock: browser.lock });
    await refusal(second.chat.connect());
    await second.chat.takeOver();
    expect(second.status()).toBe('idle');
    expect(first.status()).toBe('idle');
    expect(first.line.isOpen).toBe(false);
    expect(first.names()).toEqual(['started']);
    expect(browser.isTaken).toBe(false);
  });

  test('called twice acts once; without a chat elsewhere it does nothing', async () => {
    const browser = new FakeBrowser();
    await talking(browser);
    const second = stage({ lock: browser.lock });
    await second.chat.takeOver();
    expect(second.status()).toBe('idle');
    await refusal(second.chat.connect());
    await Promise.all([second.chat.takeOver(), second.chat.takeOver()]);
    expect(second.lines).toHaveLength(1);
    expect(second.status()).toBe('chatting');
  });
});

describe('duplicated tab', () => {
  test('does not take over the conversation by itself, although it has a copy of the storage', async () => {
    const browser = new FakeBrowser();
    const storage = new FakeStorage();
    const first = await talking(browser, storage);
    await settle();
    const copied = new FakeStorage();
    copied.text = storage.text;
    const second = stage({ lock: browser.lock, storage: copied });
    expect(await second.chat.resume()).toBe(true);
    expect(second.status()).toBe('elsewhere');
    expect(second.lines).toEqual([]);
    expect(first.status()).toBe('chatting');
    await second.chat.takeOver();
    expect(second.status()).toBe('chatting');
    expect(first.status()).toBe('elsewhere');
  });

  test('may search once the first has finished, and keeps nothing of it', async () => {
    const browser = new FakeBrowser();
    const storage = new FakeStorage();
    const first = await talking(browser, storage);
    await settle();
    const copied = new FakeStorage();
    copied.text = storage.text;
    const second = stage({ lock: browser.lock, storage: copied });
    await second.chat.resume();
    void first.chat.close();
    await settle(1_000);
    expect(second.status()).toBe('idle');
    expect(copied.text).toBeNull();
  });
});
