import { ChatError, TIMES } from '@passerby/sdk';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { chatting, ended, type FakeChat, POLICY, theirs } from './fake-chat.ts';
import { openWidget } from './open-widget.ts';

const called = (chat: FakeChat, wanted: string) =>
  chat.calls.filter(([name]) => name === wanted).map(([, what]) => what);
const button = (name: string) => page.getByRole('button', { name, exact: true });
const heading = (name: string) => page.getByRole('heading', { name });

afterEach(() => {
  vi.useRealTimers();
});

describe('required consent', () => {
  const rules = { version: 'v2', text: 'Be kind.\n\nNo <b>adverts</b>.' };
  const ageBands = ['under 18', '18 and over'];
  const gated = (asks: Partial<typeof POLICY>) =>
    openWidget({}, (chat) => chat.show({ policy: { ...POLICY, ...asks } }));

  it('shows rules and age bands, without a preselected band', async () => {
    const { chat } = gated({ rules, ageBands });
    await expect.element(heading('Before you start')).toBeVisible();
    await expect.element(page.getByText('No <b>adverts</b>.')).toBeVisible();
    const bands = page.getByRole('radio');
    expect(bands.elements().map((radio) => (radio as HTMLInputElement).checked)).toEqual([false, false]);
    await expect.element(button('I agree, go on')).toBeDisabled();
    await expect.element(button('Find someone')).not.toBeInTheDocument();
    await page.getByText('under 18').click();
    await button('I agree, go on').click();
    expect(called(chat, 'agree')).toEqual([{ rules: 'v2', ageBand: 'under 18' }]);
    await expect.element(button('Find someone')).toBeVisible();
  });

  it('looks the same for any chosen band', async () => {
    const { find } = gated({ ageBands });
    await expect.element(heading('Before you start')).toBeVisible();
    const words: string[] = [];
    for (const band of ageBands) {
      await page.getByText(band, { exact: true }).click();
      await expect.element(button('Go on')).toBeEnabled();
      words.push(find('form').innerText);
    }
    expect(words[0]).toBe(words[1]);
  });

  it('shows only what is missing', async () => {
    const { chat } = gated({ rules });
    await expect.element(heading('Before you start')).toBeVisible();
    expect(page.getByRole('radio').elements()).toEqual([]);
    await button('I agree, go on').click();
    expect(called(chat, 'agree')).toEqual([{ rules: 'v2', ageBand: undefined }]);
  });

  it('can be given by keyboard alone, and moves the focus on', async () => {
    const { chat, element } = openWidget({}, (fake) => fake.show({ policy: { ...POLICY, rules, ageBands } }));
    await expect.poll(() => element.shadowRoot!.activeElement?.textContent).toBe('Before you start');
    await userEvent.keyboard('{Tab}');
    expect(element.shadowRoot!.activeElement?.className).toContain('rules');
    await userEvent.keyboard('{Tab} {Tab}{Enter}');
    expect(called(chat, 'agree')).toEqual([{ rules: 'v2', ageBand: 'under 18' }]);
    await expect.poll(() => element.shadowRoot!.activeElement?.textContent).toBe('Find someone');
  });

  it('stays open when the service refuses, with the reason', async () => {
    const { chat } = gated({ ageBands });
    chat.refusals.set('agree', new ChatError('age_band_fixed'));
    await page.getByText('18 and over').click();
    await button('Go on').click();
    await expect.element(page.getByText(/You have said how old you are already/)).toBeVisible();
    await expect.element(button('Go on')).toBeEnabled();
  });

  it('is requested anew when the rules change', async () => {
    const { chat } = gated({ rules });
    await button('I agree, go on').click();
    await expect.element(button('Find someone')).toBeVisible();
    chat.show({ policy: { ...POLICY, rules: { version: 'v3', text: 'Be kinder.' } } });
    await expect.element(page.getByText('Be kinder.')).toBeVisible();
  });
});

describe('report', () => {
  const messages = [theirs('buy my book')];
  const form = async (asks: Partial<typeof POLICY> = {}, state: object = chatting({ messages })) => {
    const widget = openWidget({}, (chat) => chat.show({ policy: { ...POLICY, ...asks }, state: state as never }));
    if ((state as { status: string }).status === 'chatting') await button('More').click();
    await button('Report this person').click();
    await expect.element(heading('Report this person')).toBeVisible();
    return widget;
  };

  it('is made in the menu of the conversation: reason, comment, and block', async () => {
    const { chat } = await form();
    await expect.element(button('Send report')).toBeDisabled();
    await page.getByText('Adverts or fraud').click();
    await page.getByRole('textbox', { name: 'In your words, if you like' }).fill('a book');
    await button('Send report').click();
    const [report] = called(chat, 'report');
    expect(report).toEqual({ conversationId: 'c_1', reason: 'spam', comment: 'a book', messages: false });
    expect(called(chat, 'block')).toHaveLength(1);
    await expect.element(heading('Thank you.')).toBeVisible();
  });

  it('does not block if the visitor unticks it', async () => {
    const { chat } = await form();
    await page.getByText('Something else').click();
    await page.getByRole('checkbox', { name: 'Also block this person' }).click();
    await button('Send report').click();
    await expect.element(heading('Thank you.')).toBeVisible();
    expect(called(chat, 'block')).toEqual([]);
    await page.getByRole('dialog', { name: 'Report this person' }).getByRole('button', { name: 'Close' }).click();
    await expect.element(page.getByText('buy my book')).toBeVisible();
  });

  it('includes the last messages only on request, and only if the site accepts them', async () => {
    const { chat, element } = await form({ history: 'reports' });
    const hand = page.getByRole('checkbox', { name: /^Hand over the last messages/ });
    await expect.element(hand).not.toBeChecked();
    await hand.click();
    await page.getByText('Adverts or fraud').click();
    await button('Send report').click();
    expect(called(chat, 'report')).toMatchObject([{ messages: true }]);
    element.remove();
    await form({ history: 'none' });
    expect(page.getByRole('checkbox').elements()).toHaveLength(1);
  });

  it('is possible in the ended view too', async () => {
    const { chat } = await form({}, ended({ messages }));
    await page.getByText('Unwanted sexual talk').click();
    await button('Send report').click();
    expect(called(chat, 'report')).toMatchObject([{ conversationId: 'c_1', reason: 'sexual' }]);
  });

  it('continues when the stranger leaves meanwhile', async () => {
    const { chat } = await form();
    chat.show({ state: ended({ messages }) });
    await page.getByText('Adverts or fraud').click();
    await button('Send report').click();
    expect(called(chat, 'report')).toMatchObject([{ conversationId: 'c_1' }]);
    expect(called(chat, 'block')).toHaveLength(1);
  });

  it('waits for the connection, which is shown', async () => {
    const { chat } = await form();
    chat.show({ connection: { status: 'reconnecting', attempt: 1, retryAt: 0 } });
    let answer = () => undefined as void;
    chat.report = () => new Promise((resolve) => (answer = resolve));
    await page.getByText('Adverts or fraud').click();
    await button('Send report').click();
    await expect.element(page.getByText('Your report goes out as soon as the connection is back.')).toBeVisible();
    answer();
    await expect.element(page.getByText('Somebody will look at it.')).toBeVisible();
  });

  it('keeps its text and shows the delay if it is rate-limited', async () => {
    const { chat } = await form();
    chat.refusals.set('report', new ChatError('rate_limited', { retryAfterMs: 9_000 }));
    await page.getByText('Adverts or fraud').click();
    const words = page.getByRole('textbox', { name: 'In your words, if you like' });
    await words.fill('a book');
    await button('Send report').click();
    await expect.element(page.getByRole('alert')).toHaveTextContent('A little slower, please. Try again in 9 s');
    await expect.element(words).toHaveValue('a book');
  });

  it('is refused a quarter of an hour after the end', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(10_000);
    onTestFinished(() => clock.mockRestore());
    const { chat } = openWidget({}, (fake) => fake.show({ state: ended({ messages }) }));
    chat.emit('ended', { conversationId: 'c_1' as never, reason: 'peer_left', undelivered: [] });
    clock.mockReturnValue(10_000 + TIMES.reportMs + 1);
    await button('Report this person').click();
    await expect.element(heading('It is too late for a report.')).toBeVisible();
    expect(button('Send report').elements()).toEqual([]);
  });

  it('shows that it is too late if the service refuses it', async () => {
    const { chat } = await form();
    chat.refusals.set('report', new ChatError('not_in_conversation'));
    await page.getByText('Adverts or fraud').click();
    await button('Send report').click();
    await expect.element(heading('It is too late for a report.')).toBeVisible();
  });

  it.each(['Escape', 'Cancel'])('is cancelled with %s: nothing is sent, and the focus is restored', async (by) => {
    const { chat, element } = await form();
    await expect.poll(() => element.shadowRoot!.activeElement?.textContent).toBe('Report this person');
    if (by === 'Escape') await userEvent.keyboard('{Escape}');
    else await button('Cancel').click();
    await expect.element(heading('Report this person')).not.toBeInTheDocument();
    await expect.poll(() => element.shadowRoot!.activeElement?.getAttribute('aria-label')).toBe('More');
    expect(element.isOpen).toBe(true);
    expect(called(chat, 'report')).toEqual([]);
  });

  it('makes everything under it unreachable', async () => {
    const { find } = await form();
    expect(find('.under').inert).toBe(true);
  });
});

describe('S6 time left', () => {
  it('is shown in the conversation, keeps what was typed, and lets it be sent when it is over', async () => {
    const { chat } = openWidget({}, (fake) => fake.show({ state: chatting() }));
    const field = page.getByRole('textbox', { name: 'Message' });
    chat.refusals.set('send', new ChatError('rate_limited', { retryAfterMs: 1_500 }));
    await field.fill('again and again');
    await button('Send').click();
    await expect.element(page.getByText('Try again in 2 s')).toBeVisible();
    await expect.element(field).toHaveValue('again and again');
    await expect.element(page.getByText(/Try again in/)).not.toBeInTheDocument();
    await expect.element(page.getByText(/A little slower/)).not.toBeInTheDocument();
    await button('Send').click();
    expect(called(chat, 'send')).toEqual(['again and again', 'again and again']);
    await expect.element(field).toHaveValue('');
  });

  it('is shown for throttled messages by itself', async () => {
    const { chat } = openWidget({}, (fake) => fake.show({ state: chatting() }));
    chat.emit('error', new ChatError('rate_limited', { retryAfterMs: 8_000 }));
    await expect.element(page.getByText(/A little slower, please/)).toBeVisible();
    await expect.element(page.getByText(/Try again in [78] s/)).toBeVisible();
  });

  it('of a ban is shown, and a retry offered only when it is over', async () => {
    const error = new ChatError('banned', { retryAfterMs: 2_000 });
    const { chat } = openWidget({}, (fake) => fake.show({ state: { status: 'refused', error } }));
    await expect.element(heading('You cannot take part for now.')).toBeVisible();
    await expect.element(page.getByText(/Try again in [12] s/)).toBeVisible();
    expect(button('Try again').elements()).toEqual([]);
    await button('Try again').click();
    expect(chat.calls.at(-1)![0]).toBe('find');
  });

  it('of a longer ban is shown in hours', async () => {
    const error = new ChatError('banned', { retryAfterMs: 24 * 3_600_000 });
    openWidget({}, (fake) => fake.show({ state: { status: 'refused', error } }));
    await expect.element(page.getByText('Try again in 24 h')).toBeVisible();
  });

  it.each(['key_revoked', 'claims_refused'] as const)(
    'is not shown for %s: the chat is not available here',
    async (code) => {
      openWidget({}, (fake) => fake.show({ state: { status: 'refused', error: new ChatError(code) } }));
      await expect.element(heading('This chat is not available here.')).toBeVisible();
      expect(button('Try again').elements()).toEqual([]);
    },
  );
});

it('passes the claims of the page to its chat', async () => {
  const element = document.createElement('passerby-chat');
  const claims = () => 'a.b.c';
  element.claims = claims;
  expect(element.claims).toBe(claims);
});
