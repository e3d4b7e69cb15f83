import { ChatError, LIMITS } from '@passerby/sdk';
import { expect, it, onTestFinished, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { chatting, ended, mine, theirs } from './fake-chat.ts';
import { openWidget } from './open-widget.ts';

const field = () => page.getByRole('textbox', { name: 'Message' });
const talk = (change: Parameters<typeof chatting>[0] = {}) =>
  openWidget({}, (chat) => chat.show({ state: chatting(change) }));
const sent = (chat: { calls: unknown[][] }) => chat.calls.filter(([name]) => name === 'send').map(([, text]) => text);

it('sends at Enter and breaks the line at Shift and Enter', async () => {
  const { chat } = talk();
  await field().fill('one');
  await userEvent.keyboard('{Shift>}{Enter}{/Shift}two{Enter}');
  expect(sent(chat)).toEqual(['one\ntwo']);
  await expect.element(field()).toHaveValue('');
  await expect.element(page.getByText('sending…')).toBeVisible();
});

it('ignores Enter during the composition of an input method', async () => {
  const { chat, find } = talk();
  await field().fill('にほん');
  const enter = (init: KeyboardEventInit) =>
    find('textarea').dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init }),
    );
  enter({ isComposing: true });
  enter({ keyCode: 229 });
  expect(sent(chat)).toEqual([]);
  enter({});
  expect(sent(chat)).toEqual(['にほん']);
});

it('sends nothing for an empty text', async () => {
  const { chat } = talk();
  await field().fill('  \n ');
  await userEvent.keyboard('{Enter}');
  await expect.element(page.getByRole('button', { name: 'Send' })).toBeDisabled();
  expect(sent(chat)).toEqual([]);
});

it('sends the start and the stop of typing', async () => {
  const { chat } = talk();
  await field().fill('a');
  await field().fill('');
  expect(chat.calls.filter(([name]) => name === 'typing')).toEqual([
    ['typing', true],
    ['typing', false],
  ]);
});

it('keeps what was typed through a refusal and a lost connection', async () => {
  const { chat } = talk();
  chat.refusals.set('send', new ChatError('outbox_full'));
  await field().fill('do not lose me');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect.element(page.getByText(/^Some messages are still on their way/)).toBeVisible();
  await expect.element(field()).toHaveValue('do not lose me');
  chat.show({ connection: { status: 'reconnecting', attempt: 1, retryAt: 0 } });
  await expect.element(page.getByText('Connection lost. Trying again…')).toBeVisible();
  await expect.element(field()).toBeEnabled();
  await expect.element(field()).toHaveValue('do not lose me');
});

it('shows the remaining characters before the limit and does not send beyond it', async () => {
  talk();
  await field().fill('x'.repeat(LIMITS.textMaxChars - 5));
  await expect.element(page.getByText('5 characters left')).toBeVisible();
  await field().fill('x'.repeat(LIMITS.textMaxChars + 3));
  await expect.element(page.getByText('3 characters too many')).toBeVisible();
  await expect.element(page.getByRole('button', { name: 'Send' })).toBeDisabled();
});

it('grows with the text, up to a maximum', async () => {
  const { find } = talk();
  await field().fill('one');
  const one = find('textarea').offsetHeight;
  await field().fill('one\ntwo\nthree');
  expect(find('textarea').offsetHeight).toBe(one + 48);
  await field().fill('line\n'.repeat(40));
  expect(find('textarea').offsetHeight).toBe(132);
});

it('shows a stranger’s message as text', async () => {
  talk({ messages: [theirs('<img src=x onerror="alert(1)"> <b>bold</b> https://example.com')] });
  await expect.element(page.getByText('<img src=x onerror="alert(1)"> <b>bold</b> https://example.com')).toBeVisible();
  await expect.element(page.getByRole('link')).not.toBeInTheDocument();
});

it('isolates a stranger’s right-to-left text in its bubble', async () => {
  const { find } = talk({ messages: [theirs('\u202eevil'), mine('ok')] });
  await expect.poll(() => find('.peer .bubble')?.textContent).toBe('evil');
  expect(getComputedStyle(find('.bubble')).unicodeBidi).toBe('plaintext');
});

it('shows the status of the newest message of one’s own only', async () => {
  const messages = [mine('one'), mine('two'), theirs('three')];
  talk({ messages });
  await expect.element(page.getByText('delivered')).toBeVisible();
  expect(page.getByText('delivered').elements()).toHaveLength(1);
});

const lines = (count: number) => Array.from({ length: count }, (_, index) => theirs(`line ${index}`, index * 999_999));

it('scrolls to new messages for a reader at the end', async () => {
  const { chat, find } = talk({ messages: lines(30) });
  const atEnd = () => {
    const { scrollHeight, scrollTop, clientHeight } = find('.scroller');
    return scrollHeight - scrollTop - clientHeight;
  };
  await expect.poll(atEnd).toBeLessThan(2);
  chat.show({ state: chatting({ messages: lines(31) }) });
  await expect.poll(atEnd).toBeLessThan(2);
  await expect.element(page.getByRole('button', { name: 'New messages' })).not.toBeInTheDocument();
});

it('does not mistake its own late scroll events for the reader’s', async () => {
  const messages = lines(30);
  const { chat, find } = talk({ messages });
  await expect.poll(() => find('.scroller')?.scrollTop).toBeGreaterThan(0);
  const scroller = find('.scroller');
  const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  await expect.poll(atEnd).toBeLessThan(2);
  chat.show({ state: chatting({ messages: [...messages, theirs('one more', 9e9)] }) });
  while (atEnd() < 32) await Promise.resolve();
  scroller.dispatchEvent(new Event('scroll'));
  await expect.poll(atEnd).toBeLessThan(2);
});

it('keeps the position of a reader who scrolled back, and shows that there is more', async () => {
  const { chat, find } = talk({ messages: lines(30) });
  await expect.poll(() => find('.scroller')?.scrollTop).toBeGreaterThan(0);
  const scroller = find('.scroller');
  scroller.scrollTop = 0;
  await new Promise((resolve) => setTimeout(resolve, 100));
  chat.show({ state: chatting({ messages: lines(31) }) });
  await page.getByRole('button', { name: 'New messages' }).click();
  await expect.poll(() => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight).toBeLessThan(2);
  await expect.element(page.getByRole('button', { name: 'New messages' })).not.toBeInTheDocument();
});

it('skips once for several presses of "next"', async () => {
  const { chat } = talk();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(10_000);
  onTestFinished(() => clock.mockRestore());
  chat.emit('started', { conversationId: 'c_1' as never, shared: { interests: [], isSameTopic: false } });
  const next = page.getByRole('button', { name: 'Next stranger' });
  await next.click();
  expect(chat.calls.filter(([name]) => name === 'skip')).toHaveLength(0);
  clock.mockReturnValue(11_000);
  await next.click();
  expect(chat.calls.filter(([name]) => name === 'skip')).toHaveLength(1);
});

it('has leaving and blocking in a menu, which Escape closes without closing the panel', async () => {
  const { chat, element } = talk();
  const more = page.getByRole('button', { name: 'More' });
  await more.click();
  await userEvent.keyboard('{Escape}');
  await expect.element(page.getByRole('button', { name: 'Leave' })).not.toBeInTheDocument();
  expect(element.isOpen).toBe(true);
  await more.click();
  await page.getByRole('button', { name: 'Leave' }).click();
  await more.click();
  await page.getByRole('button', { name: /^Block this person/ }).click();
  expect(chat.calls.slice(-2)).toEqual([['leave'], ['block']]);
  chat.show({ state: { status: 'idle' } });
  await expect.element(page.getByText('You will not meet them again.')).toBeVisible();
});

it('shows the times on demand', async () => {
  const { find } = talk({ messages: [theirs('hello', Date.now())] });
  expect(find('time')).toBeNull();
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('button', { name: 'Show times' }).click();
  await expect.poll(() => find('time')?.textContent).toMatch(/\d:\d\d/);
});

it('does not search for the next stranger by an Enter meant for the message', async () => {
  const { chat, element } = talk({ messages: [mine('hi')] });
  await field().fill('half a sen');
  chat.show({ state: ended({ messages: [mine('hi')] }) });
  await expect.poll(() => element.shadowRoot!.activeElement?.textContent).toBe('They went their way.');
  await userEvent.keyboard('{Enter}');
  expect(chat.calls.some(([name]) => name === 'find')).toBe(false);
});
