import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { SessionState } from '../src/protocol/index.ts';
import { FakeBrowser, FakeStorage } from './browser-tab.ts';
import { info, settle, stage, staged } from './client-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const running: SessionState = { status: 'chatting', conversation: info('c1'), peer: 'here' };

/** Page that unloads in the middle of a conversation, and the state it leaves behind. */
async function left(): Promise<{ browser: FakeBrowser; storage: FakeStorage }> {
  const storage = new FakeStorage();
  const scene = await staged('c1', { storage });
  scene.chat.send('hello');
  await settle();
  scene.line.close();
  return { browser: new FakeBrowser(), storage };
}

describe('chat that is created, closed and created again in one turn', () => {
  test('continues what the previous page left', async () => {
    const { browser, storage } = await left();
    const parts = { lock: browser.lock, storage };
    const first = stage(parts);
    const resumed = first.chat.resume();
    const closed = first.chat.close();
    const second = stage(parts);
    expect(await second.chat.resume()).toBe(true);
    expect(await resumed).toBe(false);
    await closed;
    expect(second.state()).toMatchObject({ status: 'chatting', messages: [{ text: 'hello' }] });
    second.line.ready(running);
    expect(second.status()).toBe('chatting');
    expect(first.lines).toEqual([]);
    await settle();
    expect(storage.text).not.toBeNull();
  });

  test('continues even if another tab has the chat for the moment', async () => {
    const { browser, storage } = await left();
    void stage({ lock: browser.lock }).chat.find();
    await settle();
    const before = storage.text;
    const first = stage({ lock: browser.lock, storage });
    expect(await first.chat.resume()).toBe(true);
    expect(first.status()).toBe('elsewhere');
    await first.chat.close();
    expect(storage.text).toBe(before);
  });

  test('leaves nothing behind if it is closed after it resumed the conversation', async () => {
    const { browser, storage } = await left();
    const scene = stage({ lock: browser.lock, storage });
    await scene.chat.resume();
    await scene.chat.close();
    expect(scene.line.isOpen).toBe(false);
    expect(storage.text).toBeNull();
    expect(browser.isTaken).toBe(false);
  });
});

describe('resume', () => {
  test('returns the same promise twice, and resumes once', async () => {
    const { browser, storage } = await left();
    const scene = stage({ lock: browser.lock, storage });
    const resumed = scene.chat.resume();
    expect(scene.chat.resume()).toBe(resumed);
    expect(await resumed).toBe(true);
    expect(await scene.chat.resume()).toBe(true);
    expect(scene.lines).toHaveLength(1);
  });

  test('resumes what was written until the previous page released the lock', async () => {
    const { browser, storage } = await left();
    const whole = storage.text!;
    storage.text = whole.replaceAll('hello', 'older');
    const scene = stage({ lock: browser.lock, storage });
    const resumed = scene.chat.resume();
    storage.text = whole;
    expect(await resumed).toBe(true);
    expect(scene.state()).toMatchObject({ messages: [{ text: 'hello' }] });
  });

  test('resumes nothing that the previous page finished meanwhile, and releases the lock', async () => {
    const { browser, storage } = await left();
    const scene = stage({ lock: browser.lock, storage });
    const resumed = scene.chat.resume();
    storage.text = null;
    expect(await resumed).toBe(false);
    expect(scene.lines).toEqual([]);
    expect(browser.isTaken).toBe(false);
  });

  test('waits until a prerendered page is shown, without locks as well', async () => {
    const { storage } = await left();
    const window = new EventTarget();
    const document = { prerendering: true };
    vi.stubGlobal('window', window);
    vi.stubGlobal('document', document);
    onTestFinished(() => void vi.unstubAllGlobals());
    const scene = stage({ storage });
    const resumed = scene.chat.resume();
    await settle(60_000);
    expect(scene.lines).toEqual([]);
    document.prerendering = false;
    window.dispatchEvent(new Event('prerenderingchange'));
    await settle();
    expect(await resumed).toBe(true);
    expect(scene.lines).toHaveLength(1);
  });

  test('ends, with no listeners left, if a prerendered page closes the chat before it is shown', async () => {
    const { storage } = await left();
    const window = new EventTarget();
    let listeners = 0;
    const { addEventListener, removeEventListener } = window;
    window.addEventListener = (...given) => ((listeners += 1), addEventListener.apply(window, given));
    window.removeEventListener = (...given) => ((listeners -= 1), removeEventListener.apply(window, given));
    vi.stubGlobal('window', window);
    vi.stubGlobal('document', { prerendering: true });
    onTestFinished(() => void vi.unstubAllGlobals());
    const scene = stage({ storage });
    const resumed = scene.chat.resume();
    await settle();
    await scene.chat.close();
    expect(await resumed).toBe(false);
    expect(listeners).toBe(0);
  });

  test('releases the lock if only a departure is left to send', async () => {
    const storage = new FakeStorage();
    const former = await staged('c1', { storage });
    former.line.lose();
    await former.chat.leave();
    await settle();
    expect(storage.text).toContain('"departures":[{');
    const browser = new FakeBrowser();
    const scene = stage({ lock: browser.lock, storage });
    expect(await scene.chat.resume()).toBe(false);
    expect(scene.lines).toHaveLength(1);
    expect(browser.isTaken).toBe(false);
  });
});

test('close resolves once the tab has released the lock', async () => {
  let letGo = (): void => undefined;
  const scene = stage({
    lock: (events) => ({
      ...new FakeBrowser().lock(events),
      take: () => true,
      release: () => undefined,
      isHeldElsewhere: () => false,
      close: () => new Promise<void>((resolve) => (letGo = resolve)),
    }),
  });
  let isClosed = false;
  void scene.chat.close().then(() => (isClosed = true));
  await settle(2_000);
  expect(isClosed).toBe(false);
  letGo();
  await settle();
  expect(isClosed).toBe(true);
});
