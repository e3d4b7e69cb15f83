import { expect, it, onTestFinished } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { chatting, ended, mine, theirs } from './fake-chat.ts';
import { addWidget, openWidget } from './open-widget.ts';

const field = () => page.getByRole('textbox', { name: 'Message' });

it('hides typed keys from the shortcuts of the page', async () => {
  openWidget({}, (fake) => fake.show({ state: chatting() }));
  const heard: string[] = [];
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  for (const type of ['keydown', 'keypress', 'keyup', 'beforeinput', 'input', 'paste', 'copy', 'cut']) {
    const listen = (event: Event) => {
      heard.push(type);
      event.preventDefault();
    };
    document.addEventListener(type, listen, controller);
  }
  await field().click();
  await userEvent.keyboard('and/or, j k');
  await expect.element(field()).toHaveValue('and/or, j k');
  expect(heard).toEqual([]);
});

it('closes its menus one by one at Escape, and opens again by the space bar', async () => {
  const { element } = openWidget({}, (fake) => fake.show({ state: chatting() }));
  await page.getByRole('button', { name: 'More' }).click();
  await userEvent.keyboard('{Escape}');
  await expect.element(page.getByRole('button', { name: 'Leave' })).not.toBeInTheDocument();
  expect(element.isOpen).toBe(true);
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => element.isOpen).toBe(false);
  await userEvent.keyboard(' ');
  await expect.poll(() => element.isOpen).toBe(true);
  await userEvent.keyboard('{Escape}');
});

it('closes at Escape on the launcher too', async () => {
  const { element, find } = openWidget();
  find('.launcher').focus();
  await userEvent.keyboard('{Escape}');
  expect(element.isOpen).toBe(false);
});

it('moves the focus in if a button of the page opens it, and leaves it in a field of the page', async () => {
  const { element } = addWidget();
  const button = document.createElement('button');
  const input = document.createElement('input');
  document.body.append(button, input);
  onTestFinished(() => {
    button.remove();
    input.remove();
  });
  input.focus();
  element.open();
  await expect.element(page.getByRole('button', { name: 'Find someone' })).toBeVisible();
  expect(document.activeElement).toBe(input);
  element.close();
  button.focus();
  element.open();
  await expect.poll(() => element.shadowRoot!.activeElement?.textContent).toBe('Find someone');
});

it('searches with the present address of the page', async () => {
  const { chat } = openWidget();
  const before = location.href;
  onTestFinished(() => history.replaceState({}, '', before));
  history.replaceState({}, '', '/another/article');
  await page.getByRole('button', { name: 'Find someone' }).click();
  expect(chat.calls.at(-1)).toMatchObject(['find', { topic: '/another/article' }]);
});

it('skips with the present address, whatever page the previous match was on', async () => {
  const { chat } = openWidget({}, (fake) => fake.show({ state: chatting() }));
  const before = location.href;
  onTestFinished(() => history.replaceState({}, '', before));
  history.replaceState({}, '', '/a/third');
  await page.getByRole('button', { name: 'Next stranger' }).click();
  expect(chat.calls.at(-1)).toMatchObject(['skip', { topic: '/a/third' }]);
});

it('is above the highest z-index of the page, and unaffected by its transforms', async () => {
  const cover = document.createElement('div');
  cover.style.cssText = 'position:fixed;inset:0;z-index:2147483647;background:#fff';
  document.body.append(cover);
  document.body.style.transform = 'translateY(-500px)';
  onTestFinished(() => {
    cover.remove();
    document.body.style.transform = '';
  });
  const { element, find } = addWidget();
  const { left, top, width, height } = find('.launcher').getBoundingClientRect();
  expect(document.elementFromPoint(left + width / 2, top + height / 2)).toBe(element);
  expect([innerWidth - left - width, innerHeight - top - height]).toEqual([20, 20]);
});

it('keeps place and size if it is inline, also when it becomes inline', () => {
  const { element } = addWidget();
  const place = document.createElement('div');
  place.style.cssText = 'width:300px';
  document.body.append(place);
  onTestFinished(() => place.remove());
  place.append(element);
  expect(element.matches(':popover-open')).toBe(true);
  element.setAttribute('inline', '');
  expect(element.matches(':popover-open')).toBe(false);
  expect(element.getBoundingClientRect().width).toBe(300);
  element.removeAttribute('inline');
  expect(element.matches(':popover-open')).toBe(true);
});

it('can be moved and hidden by the page', () => {
  const { element, find } = addWidget();
  element.style.setProperty('--passerby-bottom', '90px');
  element.style.setProperty('--passerby-side', '40px');
  const { right, bottom } = find('.launcher').getBoundingClientRect();
  expect([innerWidth - right, innerHeight - bottom]).toEqual([40, 90]);
  element.hidden = true;
  expect(find('.launcher').getBoundingClientRect().width).toBe(0);
});

it('leaves nothing behind, at once, when it is destroyed', () => {
  const { chat, element } = openWidget();
  element.destroy();
  expect([chat.listeners, element.isConnected, element.shadowRoot!.childElementCount]).toEqual([0, false, 0]);
});

it('keeps unsent text with its conversation', async () => {
  const { chat } = openWidget({}, (fake) => fake.show({ state: chatting({ messages: [theirs('hi')] }) }));
  await field().fill('half a secret');
  chat.show({ state: ended({ messages: [theirs('hi')] }) });
  await expect.element(page.getByText('Not sent: half a secret')).toBeVisible();
  chat.show({ state: chatting({ conversationId: 'c_2' as never }) });
  await expect.element(field()).toHaveValue('');
});

it('shows the same transcript when a conversation ends, and the discs part', async () => {
  const messages = [theirs('hi'), mine('hello')];
  const { chat, find } = openWidget({}, (fake) => fake.show({ state: chatting({ messages }) }));
  await expect.element(page.getByText('hello')).toBeVisible();
  const line = find('.bubble');
  chat.show({ state: ended({ messages }) });
  await expect.element(page.getByRole('button', { name: 'Find someone else' })).toBeVisible();
  expect(find('.bubble')).toBe(line);
  await expect.poll(() => find('.card .art').getAnimations({ subtree: true }).length).toBeGreaterThan(0);
});

it('gives the focus back when the menu is closed by a second click', async () => {
  const { element } = openWidget({}, (fake) => fake.show({ state: chatting() }));
  const more = page.getByRole('button', { name: 'More' });
  await more.click();
  await more.click();
  await expect.element(page.getByRole('button', { name: 'Leave' })).not.toBeInTheDocument();
  expect(element.shadowRoot!.activeElement?.getAttribute('aria-label')).toBe('More');
});

it('aligns bubbles in the direction of the page, and lays out each message in its own', async () => {
  const { find } = openWidget({}, (fake) => fake.show({ state: chatting({ messages: [theirs('שלום')] }) }));
  await expect.element(page.getByText('שלום')).toBeVisible();
  const { borderBottomLeftRadius, borderBottomRightRadius } = getComputedStyle(find('.bubble'));
  expect([borderBottomLeftRadius, borderBottomRightRadius]).toEqual(['6px', '18px']);
  const range = document.createRange();
  range.selectNodeContents(find('.bubble'));
  // The line stands at the end that its language begins at.
  find('.bubble').style.width = '200px';
  expect(Math.round(find('.bubble').getBoundingClientRect().right - range.getBoundingClientRect().right)).toBe(14);
});

it('shows the title in its own direction on a right-to-left page', async () => {
  document.documentElement.dir = 'rtl';
  onTestFinished(() => document.documentElement.removeAttribute('dir'));
  const { find } = openWidget({}, (fake) =>
    fake.show({ state: { status: 'waiting', since: Date.now(), progress: null } }),
  );
  await expect.poll(() => find('.header b')?.textContent).toBe('Looking…');
  const title = find('.header b');
  const at = (start: number) => {
    const range = document.createRange();
    range.setStart(title.firstChild!, start);
    range.setEnd(title.firstChild!, start + 1);
    return range.getBoundingClientRect().left;
  };
  expect(at('Looking'.length)).toBeGreaterThan(at(0));
  // And it begins where the line below it does.
  const words = document.createRange();
  words.selectNodeContents(title);
  expect(Math.round(title.getBoundingClientRect().right - words.getBoundingClientRect().right)).toBe(0);
});

it('logs once which address the page’s policy blocks', async () => {
  const said: unknown[] = [];
  const { warn } = console;
  console.warn = (text: unknown) => said.push(text);
  const api = 'https://chat.example';
  const element = document.createElement('passerby-chat');
  for (const [name, value] of Object.entries({ site: 'pk_test_test', api })) element.setAttribute(name, value);
  onTestFinished(() => {
    element.remove();
    console.warn = warn;
  });
  document.body.append(element);
  element.open();
  const violate = (blockedURI: string) =>
    document.dispatchEvent(
      new SecurityPolicyViolationEvent('securitypolicyviolation', { blockedURI, effectiveDirective: 'connect-src' }),
    );
  violate('https://elsewhere.example/');
  violate('wss://chat.example/socket/');
  violate('https://chat.example/socket/');
  expect(said).toEqual([
    'Passerby: the Content-Security-Policy of this page needs connect-src https://chat.example wss://chat.example',
  ]);
});
