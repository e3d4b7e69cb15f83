import { afterEach, describe, expect, test, vi } from 'vitest';
import { canResume, createChat } from '../src/index.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Address without a listener. */
const options = { url: 'http://127.0.0.1:9', site: 'pk_test_demo', origin: 'http://localhost' };

/** Window of another realm: it accepts no `AbortSignal` of Node. */
class ForeignWindow extends EventTarget {
  override addEventListener(...[type, listener, how]: Parameters<EventTarget['addEventListener']>): void {
    if (typeof how === 'object' && how.signal !== undefined) throw new TypeError('not of type AbortSignal');
    super.addEventListener(type, listener, how);
  }
}

const blocked = {
  get: (): never => {
    throw new DOMException('localStorage is not available for opaque origins', 'SecurityError');
  },
};

const environments: Record<string, () => void> = {
  'a server': () => undefined,
  'jsdom, which has no locks, and no storage for about:blank': () => {
    vi.stubGlobal('window', new ForeignWindow());
    vi.stubGlobal('document', { visibilityState: 'visible' });
    vi.stubGlobal('navigator', {});
    vi.stubGlobal('sessionStorage', undefined);
    Object.defineProperty(globalThis, 'sessionStorage', { configurable: true, ...blocked });
  },
  'happy-dom, which has null for locks': () => {
    vi.stubGlobal('window', new ForeignWindow());
    vi.stubGlobal('document', { visibilityState: 'visible' });
    vi.stubGlobal('navigator', { locks: null });
    vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
  },
  'a page where a tool for consent has taken the storage away': () => {
    vi.stubGlobal('window', new ForeignWindow());
    vi.stubGlobal('document', { visibilityState: 'visible' });
    vi.stubGlobal('sessionStorage', undefined);
  },
  'a page where a tool for consent lets nobody read the storage': () => {
    vi.stubGlobal('window', new ForeignWindow());
    vi.stubGlobal('document', { visibilityState: 'visible' });
    vi.stubGlobal('sessionStorage', { getItem: blocked.get, setItem: blocked.get, removeItem: blocked.get });
  },
  'a WebView, which has null for a storage': () => {
    vi.stubGlobal('window', new ForeignWindow());
    vi.stubGlobal('document', { visibilityState: 'visible' });
    vi.stubGlobal('sessionStorage', null);
  },
};

describe.each(Object.entries(environments))('in %s', (_, set) => {
  test('a chat can be created and read, and does nothing by itself', async () => {
    set();
    const chat = createChat(options);
    const seen: string[] = [];
    chat.subscribe(({ state, connection }) => seen.push(state.status, connection.status));
    expect(canResume(options)).toBe(false);
    expect(await chat.resume()).toBe(false);
    expect(seen).toEqual(['idle', 'offline']);
    await chat.close();
  });

  test('a chat searches, and rejects only when it is closed', async () => {
    set();
    const chat = createChat(options);
    const found = chat.find().catch((error: unknown) => error);
    await vi.waitFor(() => expect(chat.snapshot().connection.status).toBe('reconnecting'), { timeout: 60_000 });
    expect(chat.snapshot().state.status).toBe('waiting');
    await chat.close();
    expect(await found).toMatchObject({ name: 'ChatError', code: 'closed' });
  });
});
