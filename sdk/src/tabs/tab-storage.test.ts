import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { settle, staged } from '../../test/client-fixture.ts';
import { tabStorage, type TabStorage } from './tab-storage.ts';

let isBlocked = false;

/** Storage that the browser blocks at some time. */
function blockable(): TabStorage {
  const items = new Map<string, string>();
  const open = (): Map<string, string> => {
    if (isBlocked) throw new DOMException('Access is denied for this document.', 'SecurityError');
    return items;
  };
  vi.stubGlobal('document', {});
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => open().get(key) ?? null,
    setItem: (key: string, text: string) => void open().set(key, text),
    removeItem: (key: string) => void open().delete(key),
  });
  const storage = tabStorage('key');
  vi.unstubAllGlobals();
  return storage;
}

beforeEach(() => {
  isBlocked = false;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('is a storage without room once the browser blocks it', () => {
  const storage = blockable();
  expect([storage.write('text'), storage.read()]).toEqual([true, 'text']);
  isBlocked = true;
  expect([storage.write('text'), storage.read()]).toEqual([false, null]);
  expect(() => storage.remove()).not.toThrow();
});

it('does not keep a chat from talking when the visitor blocks it in the middle of a conversation', async () => {
  const { chat, line, names } = await staged('c1', { storage: blockable() });
  await settle();
  isBlocked = true;
  chat.send('hello');
  line.frame('c1', 1, { kind: 'text', text: 'hi' });
  await settle(1_000);
  expect(line.frames.map(({ body }) => body.kind)).toContain('text');
  expect(names()).toContain('message');
  const closed = chat.close();
  await settle(2_000);
  await closed;
});
