import { afterEach, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';

const launcher = () => page.getByRole('button', { name: 'Talk to someone here' });

async function runTag(data: Record<string, string> = { site: 'pk_test_test' }) {
  const script = document.createElement('script');
  script.src = '/widget.js';
  script.async = true;
  Object.assign(script.dataset, data);
  document.head.append(script);
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = reject;
  });
  return script;
}

afterEach(() => {
  // Those of earlier tests too: each tag puts its own back into an exchanged body.
  for (const element of document.querySelectorAll('passerby-chat')) element.remove();
  delete window.passerbyChat;
  for (const script of document.querySelectorAll('script[data-site]')) script.remove();
});

it('shows a launcher and loads nothing else', async () => {
  await runTag();
  await expect.element(launcher()).toBeVisible();
  expect(performance.getEntriesByName(new URL('/passerby-chat.js', location.href).href)).toEqual([]);
});

it('passes the attributes of the tag to the element', async () => {
  await runTag({ site: 'pk_test_test', position: 'start', theme: 'dark', color: 'teal' });
  const element = window.passerbyChat!;
  expect(element.getAttributeNames().sort()).toEqual(['color', 'popover', 'position', 'site', 'style', 'theme']);
  expect(element.getBoundingClientRect().left).toBe(20);
});

it('adds one launcher however often the tag is run, removed and added again', async () => {
  const script = await runTag();
  await runTag();
  script.remove();
  await runTag();
  expect(document.querySelectorAll('passerby-chat')).toHaveLength(1);
});

it('comes back when the page replaces its body', async () => {
  await runTag();
  const old = document.body;
  const body = document.createElement('body');
  document.documentElement.replaceChild(body, old);
  await expect.poll(() => window.passerbyChat!.parentNode).toBe(body);
  document.documentElement.replaceChild(old, body);
});

it('comes back when the page replaces the content of its body, at once or piece by piece', async () => {
  await runTag();
  const chat = window.passerbyChat!;
  const others = [...document.body.childNodes].filter((node) => node !== chat);
  document.body.replaceChildren();
  await expect.poll(() => chat.isConnected).toBe(true);
  while (document.body.firstChild) document.body.removeChild(document.body.firstChild);
  await expect.poll(() => chat.isConnected).toBe(true);
  document.body.prepend(...others);
});

it.each(['remove', 'destroy'])('stays away after %s, until the tag is run again', async (way) => {
  await runTag();
  const chat = window.passerbyChat as HTMLElement & Record<string, () => void>;
  chat[way]!();
  const [old, body] = [document.body, document.createElement('body')];
  document.documentElement.replaceChild(body, old);
  document.documentElement.replaceChild(old, body);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(document.querySelectorAll('passerby-chat')).toHaveLength(0);
  await runTag();
  expect(document.querySelectorAll('passerby-chat')).toHaveLength(1);
  expect(window.passerbyChat).not.toBe(chat);
});

it('stays removed on a page that removes it repeatedly', async () => {
  let timesTaken = 0;
  // A page that cannot be stopped would never end the test.
  const cleaner = new MutationObserver(() => {
    const element = document.querySelector('body > passerby-chat');
    if (element && timesTaken++ < 1_000) element.parentNode!.removeChild(element);
  });
  cleaner.observe(document.body, { childList: true });
  await runTag();
  await new Promise((resolve) => setTimeout(resolve, 100));
  cleaner.disconnect();
  expect(timesTaken).toBeLessThan(20);
  document.body.append('more');
  await new Promise((resolve) => setTimeout(resolve));
  expect(document.querySelector('passerby-chat')).toBeNull();
  expect(window.passerbyChat).toBeUndefined();
});

it('passes only valid attributes of the tag to the element', async () => {
  Object.assign(Object.prototype, { 'a b': 1, each: () => undefined });
  try {
    await runTag({ site: 'pk_test_test', '1pIgnore': '', cfAsync: 'false' });
  } finally {
    for (const name of ['a b', 'each']) Reflect.deleteProperty(Object.prototype, name);
  }
  expect(window.passerbyChat!.getAttributeNames().sort()).toEqual(['popover', 'site']);
});

it('finds its tag if a library, such as jQuery, runs its code by a tag of its own', async () => {
  const script = Object.assign(document.createElement('script'), { type: 'text/plain', src: '/widget.js' });
  script.dataset['site'] = 'pk_test_written';
  document.head.append(script);
  (await runTag({})).remove();
  expect(window.passerbyChat!.getAttribute('site')).toBe('pk_test_written');
});

it('S37 reads settings in the address of the tag, and ignores unknown names', async () => {
  const script = document.createElement('script');
  script.src = '/widget.js?1732659000&site=pk_test_query&v[]=2';
  const loaded = new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
  document.body.append(script);
  await loaded;
  script.remove();
  expect(window.passerbyChat!.getAttributeNames().sort()).toEqual(['popover', 'site']);
});

it('S37 determines its origin from its own tag alone, as a module too', async () => {
  const [other, another, own] = [0, 1, 2].map(() => document.createElement('script')) as [
    HTMLScriptElement,
    HTMLScriptElement,
    HTMLScriptElement,
  ];
  // Of no type that runs: they only stand there.
  Object.assign(other, { type: 'text/plain', src: 'https://other.example/stats.js' }).dataset['site'] = 'a-shop';
  Object.assign(another, { type: 'text/plain', src: 'https://other.example/chat-widget.js?id=7' });
  Object.assign(own, { type: 'module', src: '/widget.js?as=module' }).dataset['site'] = 'pk_test_own';
  document.head.append(other, another, own);
  await expect.poll(() => window.passerbyChat?.getAttribute('site')).toBe('pk_test_own');
  for (const script of [other, another, own]) script.remove();
});

it('reads attributes that a tag manager removed from its address', async () => {
  const script = document.createElement('script');
  script.src = '/widget.js?site=pk_test_query&theme=dark';
  const loaded = new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
  document.body.append(script);
  script.remove();
  await loaded;
  expect([window.passerbyChat!.getAttribute('site'), window.passerbyChat!.getAttribute('theme')]).toEqual([
    'pk_test_query',
    'dark',
  ]);
});

it('hides key events of its launcher from the page', async () => {
  await runTag();
  const heard: Event[] = [];
  const listen = (event: Event) => heard.push(event);
  document.addEventListener('keydown', listen);
  window.passerbyChat!.shadowRoot!.querySelector('button')!.focus();
  await userEvent.keyboard('x');
  document.removeEventListener('keydown', listen);
  expect(heard).toEqual([]);
});

const NAMES = ['currentScript', 'querySelector', 'createElement', 'body', 'head', 'documentElement', 'passerbyChat'];

/** Elements of the page that shadow these properties of the document. Their attributes of a script are a foreign site's. */
function standInFor(names: readonly string[], tag: string): HTMLElement[] {
  return names.map((name) => {
    const element = document.createElement(tag);
    const address = 'https://evil.example/x';
    const attributes = { name, id: name, src: address, data: address, 'data-site': 'pk_test_evil' };
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  });
}

it.each(['img', 'embed', 'form', 'object', 'a'])('S35 is not affected by an element of the page: %s', async (tag) => {
  const [{ body }, script] = [document, document.createElement('script')];
  const elements = standInFor(NAMES, tag);
  script.src = '/widget.js';
  script.dataset['site'] = 'pk_test_test';
  const loaded = new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
  body.append(...elements, script);
  try {
    await loaded;
    const chat = window.passerbyChat!;
    expect([chat.localName, chat.getAttribute('site'), chat.parentNode === body]).toEqual([
      'passerby-chat',
      'pk_test_test',
      true,
    ]);
  } finally {
    for (const element of [...elements, script]) element.remove();
  }
});

// Last: it defines the element, which cannot be undone.
it('S35 opens at the first press, with the code from the origin of the script', async () => {
  const elements = standInFor(['currentScript', 'head'], 'img');
  document.body.append(...elements);
  try {
    await runTag();
    await launcher().click();
    await expect.element(page.getByRole('dialog')).toBeVisible();
    await expect.element(launcher()).toHaveAttribute('aria-expanded', 'true');
  } finally {
    for (const element of elements) element.remove();
  }
});
