/**
 * The script tag: `<script async src="https://…/widget.js" data-site="pk_…">`. Adds a `<passerby-chat>` with the
 * options of the tag as attributes to the end of the page and draws its launcher, so that nothing else is loaded until
 * a pointer comes near. The widget then takes over the element: see `element.ts`.
 */
import launcher from './launcher/launcher.css';
import discs from './launcher/loader.css';
import { ownDocument } from './own-document.ts';

declare global {
  interface Window {
    /** Element of the script tag, until it is removed: one per page, however often the tag is run. */
    passerbyChat?: HTMLElement;
  }
}

/** Time after which loading the rest of the widget is given up. Milliseconds. */
const LOAD_MAX_MS = 30_000;

const make = ownDocument('createElement').bind(document);

// Without one of its own, as in a module, the tag that names a site.
const named = ownDocument('querySelector').call(
  document,
  'script[src*="/widget.js"][data-site^=pk_]',
) as HTMLScriptElement | null;
const { dataset, src } = (ownDocument('currentScript') ?? named) as HTMLScriptElement;
const address = new URL(src);
// jQuery puts the tag in and runs its code by another one, which has nothing but the address.
const said = dataset['site'] || named?.src !== src ? dataset : named.dataset;

// An element or a frame of that name is no property of the window's own.
if (!Object.hasOwn(window, 'passerbyChat')) {
  const element = (window.passerbyChat = make('passerby-chat'));
  // Tag managers drop what they do not know of a tag, but not of its address.
  // Other names are none of the element's, and not every browser takes them.
  for (const [name, value] of [...address.searchParams, ...Object.entries(said)])
    if (/^[a-z]+$/.test(name)) element.setAttribute(name, value!);
  const get = (name: string) => element.getAttribute(name);
  let load = () => {};

  // Already there where the page imports the module itself.
  if (!element.shadowRoot) {
    const button = make('button');
    let again = '';
    let isLoading = false;
    load = () => {
      if (isLoading) return;
      isLoading = true;
      const attempt = again;
      button.textContent = '';
      const { href } = new URL('passerby-chat.js' + again, src);
      // What does not match stays failed for the import after it. Without a version the file changes under a
      // loader that a browser has kept.
      const rel = 'modulepreload';
      const integrity = address.pathname.includes('/widget/') ? '__INTEGRITY__' : '';
      (ownDocument('head') as HTMLElement | null)?.append(
        Object.assign(make('link'), { rel, crossOrigin: '', integrity, href }),
      );
      const fail = () => {
        // Already said, or there after all.
        if (again > attempt || !button.parentNode) return;
        button.textContent = "Couldn't load. Try again";
        element.removeAttribute('open');
        // Some browsers remember a failure by its address.
        again += '?';
        isLoading = false;
      };
      import(href).catch(fail);
      setTimeout(fail, LOAD_MAX_MS);
    };
    const open = () => element.setAttribute('open', '');
    const remove = () => {
      delete window.passerbyChat;
      HTMLElement.prototype.remove.call(element);
    };
    // What the class has, until it is there.
    Object.assign(element, { open, close: () => element.removeAttribute('open'), remove, destroy: remove });
    button.className = 'launcher';
    button.title = get('label') || 'Talk to someone here';
    button.onpointerenter = load;
    button.onclick = () => {
      // Not every browser focuses what is clicked.
      button.focus();
      open();
    };

    const root = element.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(launcher + discs);
    root.adoptedStyleSheets = [sheet];
    root.append(button);
    // The page's shortcuts would take the press of a key.
    element.onkeydown = (event) => event.stopPropagation();
    element.style.setProperty('--passerby-you', get('color'));
    const takeUp = () => {
      try {
        // A frame keeps what is its own: see `storageKey`.
        if (sessionStorage[`passerby:${get('site')}:${get('scope') ?? ''}${window === top ? '' : '@frame'}`]) load();
      } catch {
        // This page may not store anything, so nothing is to be taken up.
      }
    };
    takeUp();
    // It may come out of the back/forward cache, after another page of the tab began something.
    addEventListener('pageshow', takeUp);
  }

  const observer = new MutationObserver(() => {
    // Removed on purpose.
    if (window.passerbyChat !== element) observer.disconnect();
    else tend();
  });
  let timesPutBack = 0;
  /** Puts the chat back after the page replaced its content, its body or its root element. */
  const tend = () => {
    const [html, body] = [ownDocument('documentElement'), ownDocument('body')];
    for (const parent of [document, html, body]) if (parent) observer.observe(parent, { childList: true });
    if (body && !element.isConnected) {
      // An observer of the page takes it out whenever it is there: neither would ever let the page go on.
      if (timesPutBack++ > 9) return element.remove();
      setTimeout(() => (timesPutBack = 0));
      body.append(element);
    }
    if (element.matches('[open],[inline]')) load();
    // Above all that the page can stack, and out of reach of its transforms.
    try {
      if (element.isConnected && !element.matches('[inline],:popover-open')) {
        element.popover = 'manual';
        element.showPopover();
      }
    } catch {
      // A browser without popovers, or with what a page has for them: then it has the highest `z-index`.
    }
  };
  observer.observe(element, { attributeFilter: ['open'] });
  tend();
}
