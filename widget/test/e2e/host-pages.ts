import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Frame, Page } from '@playwright/test';
import { build } from 'esbuild';

/** Values that a page needs to embed the chat. */
export interface Embed {
  /** The service. */
  readonly api: string;
  /** The site's publishable key. */
  readonly site: string;
  /** The script tag as the docs show it. */
  readonly tag: string;
  /** The address of the document with the chat, where that is in a frame. */
  readonly inFrame?: string;
}

/** Page of a site owner with the chat in it. */
export interface HostPage {
  readonly name: string;
  /** Set if another page tests nearly the same: visited by `npm run test:deep` only. */
  readonly isDeep?: true;
  readonly html: (embed: Embed) => string | Promise<string>;
  /** The media type, if it is not HTML. */
  readonly type?: string;
  /** The Content Security Policy it is served with. */
  readonly policy?: (embed: Embed) => string;
  /** Sets up the visitor's browser. */
  readonly prepare?: (page: Page) => Promise<unknown>;
  /** Resolves once a visitor can press the launcher. */
  readonly settle?: (frame: Frame) => Promise<unknown>;
  /** Zoom factor of the page. Default: 1. */
  readonly zoom?: number;
  /** Change that the page makes in the middle of a conversation. */
  readonly change?: (frame: Frame) => Promise<unknown>;
  /** The document with the chat, where it is in a frame of that name. */
  readonly inFrame?: (embed: Embed) => string;
}

interface Parts {
  readonly head?: string;
  readonly body?: string;
  readonly html?: string;
  readonly doctype?: string;
}

const ARTICLE = `<main><h1>Lanterns and maps</h1>${'<p>Everything for the long way home.</p>'.repeat(60)}</main>`;

const page =
  ({ head = '', body = ARTICLE, html = 'lang="en"', doctype = '<!doctype html>' }: Parts = {}) =>
  ({ tag }: Embed): string =>
    `${doctype}<html ${html}><head><meta charset="utf-8"><title>A page</title>${head}${tag}</head><body>${body}</body></html>`;

const withStyle = (css: string) => page({ head: `<style>${css}</style>` });
const withScript = (code: string) => page({ head: `<script>${inScript(code)}</script>` });
const inScript = (code: string): string => code.replaceAll('</script', String.raw`<\/script`);

/** Style sheet like those of well-known themes: it styles bare elements, and hides empty ones. */
const THEME = `
  *, *::before, *::after { box-sizing: border-box; }
  html { font-size: 18px; line-height: 2.2; letter-spacing: .04em; text-transform: lowercase; }
  body > * { display: block; max-width: 620px; margin: 32px auto !important; padding: 24px; float: left; }
  body *:empty { display: none; }
  button, [role=button], input, textarea { all: unset; background: #c00 !important; font: 28px serif !important; }
  svg { display: none !important; }
  p, span, div { color: rgb(1, 2, 3); text-indent: 2em; }
`;

const PROTOTYPE = `
  Array.from = function (list) {
    var n = (list && list.length) || 0, made = new Array(n);
    while (n--) made[n] = list[n];
    return made;
  };
  Array.prototype.toJSON = function () {
    return '[' + [].map.call(this, function (item) { return typeof item === 'string' ? '"' + item + '"' : String(item); }).join(', ') + ']';
  };
  String.prototype.toJSON = function () { return String(this); };
`;

const MOOTOOLS = `
  Array.from = function (item) {
    return item == null ? [] : typeof item === 'object' && typeof item.length === 'number' ? [].slice.call(item) : [item];
  };
  Array.prototype.contains = function (item) { return this.indexOf(item) !== -1; };
  Number.from = function (item) { var number = parseFloat(item); return isFinite(number) ? number : null; };
  Object.prototype.each = function () {};
`;

const NAMES = ['currentScript', 'body', 'head', 'documentElement', 'passerbyChat', 'title', 'forms', 'cookie'];
const CLOBBERED = NAMES.map((name) => `<img name="${name}" id="${name}" src="data:," data-site="pk_test_evil" alt="">`);

/** React hydrates the whole document, finds other text than it expects, and renders all of it again. */
const WHOLE_DOCUMENT = `
  import { createElement as h, useState } from 'react';
  import { hydrateRoot } from 'react-dom/client';
  function Page() {
    const [key, setKey] = useState(0);
    window.redraw = () => setKey((old) => old + 1);
    return h('html', { lang: 'en', key }, h('head', null, h('title', null, 'A page')),
      h('body', { 'data-drawn': key }, h('h1', null, 'drawn ' + key)));
  }
  // Once the chat is there, so that this is what a visitor has seen.
  const draw = () => {
    if (!document.querySelector('passerby-chat')) return setTimeout(draw, 5);
    hydrateRoot(document, h(Page), { onRecoverableError() {} });
  };
  addEventListener('load', draw);
`;

/** Everything is mounted, unmounted and mounted again in one turn. */
const STRICT_MODE = `
  import { StrictMode, createElement as h, useEffect, useRef } from 'react';
  import { createRoot } from 'react-dom/client';
  function Chat({ site }) {
    const place = useRef(null);
    useEffect(() => {
      const chat = document.createElement('passerby-chat');
      chat.setAttribute('site', site);
      place.current.append(chat);
      window.passerbyChat = chat;
      return () => chat.remove();
    }, [site]);
    return h('div', { ref: place });
  }
  addEventListener('load', () => {
    const root = document.querySelector('#root');
    createRoot(root).render(h(StrictMode, null, h(Chat, { site: root.dataset.key })));
  });
`;

/** Bundles a program for the browser into one script. The earlier React is resolved from a folder of its own. */
async function bundle(code: string, react: 18 | 19): Promise<string> {
  const resolveDir = react === 18 ? path.join(import.meta.dirname, 'react-18') : path.resolve('.config');
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir, loader: 'js' },
    bundle: true,
    write: false,
    format: 'iife',
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  return outputFiles[0]!.text;
}

const redrawnBy = (react: 18 | 19): Omit<HostPage, 'name'> => ({
  html: async ({ tag }) =>
    `<!doctype html><html lang="en"><head><title>A page</title>${tag}<script>${inScript(await bundle(WHOLE_DOCUMENT, react))}</script></head><body><h1>from the server</h1></body></html>`,
  settle: (frame) => frame.waitForSelector('[data-drawn="0"]'),
  change: async (frame) => {
    await frame.evaluate(() => (globalThis as unknown as { redraw: () => void }).redraw());
    await frame.waitForSelector('[data-drawn="1"]');
  },
});

const require = createRequire(import.meta.url);
/** Page whose links are followed by a library, which replaces its content. */
const navigatedBy = (library: string, attributes: string): Omit<HostPage, 'name'> => ({
  html: async (embed) =>
    page({
      head: `<script>${inScript(await readFile(require.resolve(library), 'utf8'))}</script>`,
      body: `<div ${attributes}><a href="?turn=1">Onward</a></div>${ARTICLE}`,
    })(embed),
  change: async (frame) => {
    await frame.evaluate(() => document.querySelector('h1')!.setAttribute('data-before', ''));
    await frame.getByRole('link', { name: 'Onward' }).evaluate((link) => (link as HTMLElement).click());
    await frame.waitForURL(/turn=1/);
    await frame.waitForSelector('h1:not([data-before])');
  },
});

/** Follows the link, and then goes back to the library's cached copy of the first page. */
const andBack = (row: Omit<HostPage, 'name'>): Omit<HostPage, 'name'> => ({
  ...row,
  change: async (frame) => {
    await row.change!(frame);
    await frame.evaluate(() => history.back());
    await frame.waitForURL((url) => !url.search.includes('turn=1'));
    await frame.waitForSelector('h1[data-before]');
  },
});

/** A dialog that makes all the rest of the page inert while it is open. */
const MODAL = `<dialog id="modal"><p>We use lanterns.</p></dialog>`;
const showModal = (frame: Frame) =>
  frame.evaluate(() => document.querySelector<HTMLDialogElement>('#modal')!.showModal());
const closeModal = (frame: Frame) => frame.evaluate(() => document.querySelector<HTMLDialogElement>('#modal')!.close());

/** Waits until the chat is hidden in print. */
async function print(frame: Frame): Promise<void> {
  const visited = frame.page();
  await visited.emulateMedia({ media: 'print' });
  await frame.locator('passerby-chat').waitFor({ state: 'hidden' });
  await visited.emulateMedia({ media: 'screen' });
}

export const HOST_PAGES: readonly HostPage[] = [
  { name: 'a plain page', html: page() },
  { name: 'a theme that takes hold of bare elements', html: withStyle(THEME) },
  { name: '* { all: unset }', html: withStyle('* { all: unset; }') },
  {
    name: '* { position: relative }',
    isDeep: true,
    html: withStyle('* { position: relative; opacity: .9; float: left; }'),
  },
  {
    name: ':not(:defined) hidden',
    html: withStyle(':not(:defined) { visibility: hidden; display: none; opacity: 0; }'),
  },
  {
    name: 'a transformed body',
    html: withStyle(
      'body { transform: translateX(0); filter: grayscale(1); contain: layout; overflow: hidden; z-index: 0; }',
    ),
  },
  {
    name: 'a zoomed html',
    html: withStyle('html { zoom: 1.1; }'),
    zoom: 1.1,
    prepare: (visited) => visited.setViewportSize({ width: 1100, height: 770 }),
  },
  { name: 'a root of 62.5 %', isDeep: true, html: withStyle('html { font-size: 62.5%; }') },
  {
    name: 'an open dialog',
    html: page({ body: `${MODAL}${ARTICLE}<script>modal.showModal()</script>` }),
    settle: closeModal,
    change: async (frame) => {
      await showModal(frame);
      await closeModal(frame);
    },
  },
  {
    name: 'a frame of the page',
    html: ({ inFrame }) =>
      `<!doctype html><title>A page</title><style>body { margin: 0; } iframe { width: 100%; height: 100vh; border: 0; }</style><iframe name="inside" src="${inFrame}"></iframe>${ARTICLE}`,
    inFrame: page(),
  },
  { name: 'a page in quirks mode', isDeep: true, html: page({ doctype: '' }) },
  {
    name: 'a page of XHTML',
    type: 'application/xhtml+xml',
    html: ({ tag }) =>
      `<?xml version="1.0" encoding="UTF-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>A page</title>${tag.replace(' async ', ' async="async" ')}</head><body>${ARTICLE}</body></html>`,
  },
  {
    name: 'a strict Content Security Policy',
    html: page(),
    policy: ({ api }) =>
      [
        `default-src 'none'`,
        `script-src ${api}`,
        `connect-src ${api} ${api.replace(/^http/, 'ws')}`,
        `require-trusted-types-for 'script'`,
        `trusted-types 'none'`,
      ].join('; '),
  },
  { name: 'Turbo 8, and Back', ...andBack(navigatedBy('@hotwired/turbo/dist/turbo.es2017-umd.js', '')) },
  {
    name: 'htmx 2, boosted, and Back',
    isDeep: true,
    ...andBack(navigatedBy('htmx.org/dist/htmx.min.js', 'hx-boost="true"')),
  },
  { name: 'React 18 draws the document anew', isDeep: true, ...redrawnBy(18) },
  { name: 'React 19 draws the document anew', ...redrawnBy(19) },
  {
    name: 'StrictMode',
    html: async ({ api, site }) =>
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title><script type="module" src="${api}/passerby-chat.js"></script><script>${inScript(await bundle(STRICT_MODE, 19))}</script></head><body>${ARTICLE}<div id="root" data-key="${site}"></div></body></html>`,
  },
  { name: 'print', html: page(), settle: print, change: print },
  { name: 'forced colours', html: page(), prepare: (visited) => visited.emulateMedia({ forcedColors: 'active' }) },
  { name: 'built-ins as Prototype leaves them', html: withScript(PROTOTYPE) },
  { name: 'built-ins as MooTools leaves them', isDeep: true, html: withScript(MOOTOOLS) },
  {
    name: 'elements with names of the document',
    html: ({ tag }) =>
      `<!doctype html><html lang="en"><title>A page</title>${CLOBBERED.join('')}${tag}${ARTICLE}</html>`,
  },
  { name: 'two tags', html: (embed) => page({ body: ARTICLE + embed.tag })(embed) },
  {
    name: 'a tag in the head that holds the page up',
    isDeep: true,
    html: (embed) => page()({ ...embed, tag: embed.tag.replace(' async', '') }),
  },
  {
    name: 'a tag that a tag manager puts in',
    html: ({ tag }) =>
      page()({ tag: '', api: '', site: '' }).replace(
        '</body>',
        `<script>${inScript(`
          addEventListener('load', () => {
            // What it does not know of a tag it drops.
            const src = /src="([^"]*)"/.exec(${JSON.stringify(tag)})[1];
            const site = /data-site="([^"]*)"/.exec(${JSON.stringify(tag)})[1];
            const made = document.createElement('script');
            made.src = src + '?site=' + site;
            document.body.append(made);
            made.remove();
          });`)}</script></body>`,
      ),
  },
  {
    name: 'a body that is exchanged for its copy',
    isDeep: true,
    html: page(),
    change: (frame) => frame.evaluate(() => document.body.replaceWith(document.body.cloneNode(true))),
  },
  {
    name: 'built-ins that are frozen',
    html: withScript(
      'for (const of of [Object, Array, Function, Promise, String, Map, Set, RegExp, Error, Date, Number]) { Object.freeze(of.prototype); Object.freeze(of); }',
    ),
  },
];
