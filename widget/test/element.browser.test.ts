import { expect, it, onTestFinished } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { chatting, theirs } from './fake-chat.ts';
import { addWidget, openWidget } from './open-widget.ts';

const launcher = () => page.getByRole('button', { name: 'Talk to someone here' });

it('sends no request before it is opened, and then connects', async () => {
  const { chat } = addWidget();
  expect(chat.calls).toEqual([]);
  expect(chat.listeners).toBe(0);
  await launcher().click();
  expect(chat.calls).toEqual([['connect']]);
});

it('moves the focus into the panel and, at Escape, back to the launcher', async () => {
  const { element } = addWidget();
  await expect.element(launcher()).toHaveAttribute('aria-expanded', 'false');
  await launcher().click();
  const focused = () => element.shadowRoot!.activeElement?.textContent;
  await expect.poll(focused).toBe('Find someone');
  await expect.element(launcher()).toHaveAttribute('aria-expanded', 'true');
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => element.shadowRoot!.activeElement?.className).toMatch(/launcher/);
  expect(element.hasAttribute('open')).toBe(false);
});

it('makes everything in a closed panel unreachable', async () => {
  const { element, find } = openWidget();
  await page.getByRole('button', { name: 'Close' }).click();
  await expect.poll(() => getComputedStyle(find('.panel')).visibility).toBe('hidden');
  expect(find('.panel').inert).toBe(true);
  expect(element.isOpen).toBe(false);
});

it('counts new messages while it is closed', async () => {
  const { chat, element } = openWidget({}, (fake) => fake.show({ state: chatting() }));
  element.close();
  chat.emit('message', theirs('one'));
  chat.emit('message', theirs('two'));
  await expect.element(page.getByRole('button', { name: 'Talk to someone here, 2 new' })).toBeVisible();
  element.open();
  await expect.element(launcher()).not.toHaveAccessibleName(/new/);
});

it('shows a new message in the title of a background tab, and restores it', async () => {
  const { chat } = openWidget({}, (fake) => fake.show({ state: chatting() }));
  const title = (document.title = 'A page');
  const become = (state: 'hidden' | 'visible') => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  };
  onTestFinished(() => {
    Reflect.deleteProperty(document, 'visibilityState');
    Reflect.deleteProperty(document, 'hidden');
  });
  become('hidden');
  chat.emit('message', theirs('one'));
  chat.emit('message', theirs('two'));
  expect(document.title).toBe('(2) A page');
  become('visible');
  expect(document.title).toBe(title);
});

it('does so on a page with an image named title', async () => {
  const image = Object.assign(document.createElement('img'), { name: 'title' });
  document.body.append(image);
  const { chat } = openWidget({}, (fake) => fake.show({ state: chatting() }));
  const title = document.querySelector('title')!;
  const before = title.text;
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  Object.defineProperty(document, 'hidden', { value: true, configurable: true });
  onTestFinished(() => {
    image.remove();
    Reflect.deleteProperty(document, 'visibilityState');
    Reflect.deleteProperty(document, 'hidden');
  });
  chat.emit('message', theirs('one'));
  expect(title.text).toBe(`(1) ${before}`);
  Reflect.deleteProperty(document, 'visibilityState');
  document.dispatchEvent(new Event('visibilitychange'));
  expect(title.text).toBe(before);
});

it('works on a page with custom popovers', async () => {
  const own = Object.getOwnPropertyDescriptor(HTMLElement.prototype, 'showPopover')!;
  onTestFinished(() => void Object.defineProperty(HTMLElement.prototype, 'showPopover', own));
  HTMLElement.prototype.showPopover = () => {
    throw new SyntaxError("':popover-open' is not a valid selector");
  };
  const { find } = openWidget();
  await expect.poll(() => find('.panel')).not.toBeNull();
});

it('continues when it is moved within the page', async () => {
  const { chat, element } = openWidget({}, (fake) =>
    fake.show({ state: chatting({ messages: [theirs('still here')] }) }),
  );
  const elsewhere = document.createElement('div');
  document.body.append(elsewhere);
  elsewhere.append(element);
  await new Promise((resolve) => setTimeout(resolve, 30));
  await expect.element(page.getByText('still here')).toBeVisible();
  expect(chat.calls).toEqual([['connect']]);
  elsewhere.remove();
});

it('leaves nothing behind when it is removed, and works when it is added again', async () => {
  const { chat, element } = openWidget();
  element.remove();
  await expect.poll(() => chat.listeners).toBe(0);
  expect(element.shadowRoot!.childElementCount).toBe(0);
  element.chat = chat;
  document.body.append(element);
  await expect.element(page.getByRole('button', { name: 'Find someone' })).toBeVisible();
});

it('keeps the chat of the page when it is added again later', async () => {
  const { chat, element } = addWidget();
  element.remove();
  await new Promise((resolve) => setTimeout(resolve, 50));
  document.body.append(element);
  element.open();
  await expect.poll(() => chat.calls.map(([name]) => name)).toContain('connect');
});

it('restores its style after it was in the document of a frame', () => {
  const { element, find } = openWidget();
  const frame = document.createElement('iframe');
  document.body.append(frame);
  onTestFinished(() => frame.remove());
  frame.contentDocument!.body.append(element);
  document.body.append(element);
  expect(getComputedStyle(find('.launcher')).width).toBe('60px');
});

it('is open in place when it is inline', async () => {
  const { find } = addWidget({ inline: '' });
  await expect.element(page.getByRole('button', { name: 'Find someone' })).toBeVisible();
  expect(find('.launcher')).toBeNull();
  await userEvent.keyboard('{Escape}');
  await expect.element(page.getByRole('button', { name: 'Find someone' })).toBeVisible();
});

it.each(['#ffe14d', '#222', 'rebeccapurple', 'oklch(0.8 0.15 200)'])(
  'uses a readable text colour on the brand colour %s',
  async (color) => {
    const { find } = openWidget({ color });
    await expect.element(page.getByRole('button', { name: 'Find someone' })).toBeVisible();
    const { backgroundColor, color: text } = getComputedStyle(find('.primary'));
    const light = (css: string) => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d')!;
      canvas.fillStyle = css;
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
        const part = byte / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      }) as [number, number, number];
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    };
    const [dark, bright] = [light(backgroundColor), light(text)].sort((a, b) => a - b) as [number, number];
    expect(bright / dark).toBeGreaterThanOrEqual(4.5);
  },
);

it('shows the strings of the site owner', async () => {
  const { element } = openWidget({ label: 'Plaudern' });
  element.strings = { find: 'Jemanden finden' };
  await expect.element(page.getByRole('button', { name: 'Jemanden finden' })).toBeVisible();
  await expect.element(page.getByText(/^Be kind/)).toBeVisible();
  await expect.element(page.getByRole('button', { name: 'Plaudern' })).toBeVisible();
});

it('is isolated from the style of the page in both directions', async () => {
  const style = document.createElement('style');
  style.textContent = `* { color: red; font: 40px serif; letter-spacing: 9px; text-transform: uppercase; } button { display: none !important; } html { font-size: 3px; }`;
  document.head.append(style);
  onTestFinished(() => style.remove());
  const { find } = openWidget();
  const button = page.getByRole('button', { name: 'Find someone' });
  await expect.element(button).toBeVisible();
  const { fontSize, textTransform, letterSpacing } = getComputedStyle(find('.primary'));
  expect({ fontSize, textTransform, letterSpacing }).toEqual({
    fontSize: '15px',
    textTransform: 'none',
    letterSpacing: 'normal',
  });
});

it('fills a phone above its keyboard', async () => {
  await page.viewport(390, 700);
  onTestFinished(() => page.viewport(1280, 800));
  const { find } = openWidget();
  const box = () => find('.panel').getBoundingClientRect();
  await expect.poll(() => [box().left, box().top, box().width, box().height]).toEqual([0, 0, 390, 700]);
  find('.panel').style.setProperty('--viewport-block', '400px');
  find('.panel').style.setProperty('--viewport-top', '60px');
  await expect.poll(() => [box().top, box().height]).toEqual([60, 400]);
});

it('is mirrored on a right-to-left page', async () => {
  document.documentElement.dir = 'rtl';
  onTestFinished(() => document.documentElement.removeAttribute('dir'));
  const { find } = openWidget({}, (fake) => fake.show({ state: chatting({ messages: [theirs('hello')] }) }));
  await expect.poll(() => Math.round(find('.panel').getBoundingClientRect().left)).toBe(20);
  const [bubble, log] = [find('.bubble').getBoundingClientRect(), find('.log').getBoundingClientRect()];
  expect(Math.round(bubble.right)).toBe(Math.round(log.right));
});
