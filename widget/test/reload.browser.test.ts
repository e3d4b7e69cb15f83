import { LIMITS } from '@passerby/sdk';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { page } from 'vitest/browser';
import { chatting, ended, type FakeChat, theirs } from './fake-chat.ts';
import { addWidget, openWidget } from './open-widget.ts';

const field = () => page.getByRole('textbox', { name: 'Message' });
const talk = (chat: FakeChat) => chat.show({ state: chatting({ messages: [theirs('hello')] }) });

beforeEach(() => {
  sessionStorage.clear();
  onTestFinished(() => sessionStorage.clear());
});

/** Removes the page's widget as a reload does: without telling it, and with the tab's storage left as it is. */
async function unload({ element }: { element: HTMLElement }) {
  await expect.poll(() => sessionStorage.length).toBeGreaterThan(0);
  const kept = Object.entries(sessionStorage);
  element.remove();
  await expect.poll(() => element.shadowRoot!.childElementCount).toBe(0);
  for (const [key, value] of kept) sessionStorage.setItem(key, value);
}

it('stores nothing before there is a wait or a conversation', async () => {
  openWidget();
  await page.getByRole('button', { name: 'jazz' }).click();
  await page.getByRole('button', { name: 'Close' }).click();
  expect({ ...sessionStorage }).toEqual({});
});

it('restores the open panel and the draft after a reload', async () => {
  const before = openWidget({}, talk);
  await field().fill('half a sen');
  await unload(before);
  const { element, find } = addWidget({}, talk);
  await expect.element(field()).toHaveValue('half a sen');
  expect(element.isOpen).toBe(true);
  await expect.poll(() => find('.panel').inert).toBe(false);
});

it('does not move the focus of the next page', async () => {
  await unload(openWidget({}, talk));
  addWidget({}, talk);
  await expect.element(field()).toBeVisible();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(document.activeElement).toBe(document.body);
});

it('stays closed if it was closed, receives messages, and counts them from 0', async () => {
  const before = openWidget({}, talk);
  await field().fill('half a sen');
  before.element.close();
  before.chat.emit('message', theirs('counted before'));
  await expect.element(page.getByRole('button', { name: /1 new/ })).toBeVisible();
  await unload(before);
  const { chat, element } = addWidget({}, talk);
  await expect.element(page.getByRole('button', { name: 'Talk to someone here' })).toBeVisible();
  expect(element.isOpen).toBe(false);
  chat.emit('message', theirs('one'));
  await expect.element(page.getByRole('button', { name: 'Talk to someone here, 1 new' })).toBeVisible();
  element.open();
  await expect.element(field()).toHaveValue('half a sen');
});

it('keeps a draft that was written before or during the wait', async () => {
  const before = openWidget({}, (chat) => chat.show({ state: { status: 'waiting', since: 0, progress: null } }));
  await expect.poll(() => sessionStorage.length).toBe(1);
  talk(before.chat);
  await field().fill('for whoever comes');
  before.chat.show({ state: { status: 'waiting', since: 0, progress: null } });
  await unload(before);
  addWidget({}, talk);
  await expect.element(field()).toHaveValue('for whoever comes');
});

it.each([
  ['the conversation ended', ended()],
  ['the visitor left', { status: 'idle' }],
  ['another tab took it', { status: 'elsewhere' }],
] as const)('forgets it all once %s', async (_, state) => {
  const { chat } = openWidget({}, talk);
  await field().fill('half a sen');
  await expect.poll(() => sessionStorage.length).toBe(1);
  chat.show({ state });
  await expect.poll(() => ({ ...sessionStorage })).toEqual({});
});

it('forgets it all when it is taken out of the page', async () => {
  const { element } = openWidget({}, talk);
  await field().fill('half a sen');
  await expect.poll(() => sessionStorage.length).toBe(1);
  element.remove();
  await expect.poll(() => ({ ...sessionStorage })).toEqual({});
});

it('forgets what a page left that nothing goes on from', async () => {
  await unload(openWidget({}, talk));
  const { element } = addWidget();
  await expect.poll(() => ({ ...sessionStorage })).toEqual({});
  expect(element.isOpen).toBe(false);
});

it('keeps what a site’s chats of other scopes left apart', async () => {
  const one = openWidget({ scope: 'one' }, talk);
  await field().fill('said by one');
  await unload(one);
  const other = openWidget({ scope: 'other' }, talk);
  await expect.element(field()).toHaveValue('');
  other.element.remove();
  addWidget({ scope: 'one' }, talk);
  await expect.element(field()).toHaveValue('said by one');
});

it('stores no more of a draft than could be sent', async () => {
  openWidget({}, talk);
  await field().fill('x'.repeat(LIMITS.textMaxChars + 500));
  await expect.poll(() => Object.values(sessionStorage)[0].length).toBe(LIMITS.textMaxChars + 1);
});

it.each(['forbidden', 'full'])('works if storage is %s', async (what) => {
  const error = new DOMException('', what === 'full' ? 'QuotaExceededError' : 'SecurityError');
  const refuse = () => {
    throw error;
  };
  const full = { getItem: () => null, setItem: refuse, removeItem: () => undefined };
  const own = Object.getOwnPropertyDescriptor(window, 'sessionStorage')!;
  Object.defineProperty(window, 'sessionStorage', {
    get: () => (what === 'full' ? full : refuse()),
    configurable: true,
  });
  onTestFinished(() => void Object.defineProperty(window, 'sessionStorage', own));
  const uncaught: unknown[] = [];
  const listening = new AbortController();
  for (const name of ['error', 'unhandledrejection']) {
    addEventListener(name, (event) => uncaught.push(event), { signal: listening.signal });
  }
  onTestFinished(() => listening.abort());
  const { chat, element } = openWidget({}, talk);
  await field().fill('said');
  await page.getByRole('button', { name: 'Send' }).click();
  expect(chat.calls).toContainEqual(['send', 'said']);
  element.close();
  chat.show({ state: { status: 'idle' } });
  element.open();
  await expect.element(page.getByRole('button', { name: 'Find someone' })).toBeVisible();
  expect(uncaught).toEqual([]);
});
