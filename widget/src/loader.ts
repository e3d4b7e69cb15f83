/**
 * The script tag: `<script async src="https://…/widget.js" data-site="pk_…">`. Puts a `<passerby-chat>` with
 * the tag's `data-*` as attributes at the end of the page and draws its launcher, so that a page pays for
 * nothing else until a pointer comes near. The widget then takes over the element: see `element.ts`.
 */
import launcher from './launcher/launcher.css';
import discs from './launcher/loader.css';

declare global {
  interface Window {
    /** The element of the script tag: one a page, however often the tag is run. */
    passerbyChat?: HTMLElement;
  }
}

/** A property of the document itself: elements of the page, such as `<img name="body">`, stand in front of it. */
const own = <Name extends keyof Document>(name: Name): Document[Name] =>
  Reflect.get(Document.prototype, name, document);
const make = own('createElement').bind(document);

// Without one of its own, as where a tag manager runs the code, the tag that names a site.
const { dataset, src } = (own('currentScript') ??
  own('querySelector').call(document, 'script[data-site]')) as HTMLScriptElement;

// An element of that id is no chat.
if (window.passerbyChat?.localName !== 'passerby-chat') {
  const element = (window.passerbyChat = make('passerby-chat'));
  for (const name in dataset) element.setAttribute(name, dataset[name]!);

  // Already there where the page imports the module itself.
  if (!element.shadowRoot) {
    const button = make('button');
    let again = '';
    const load = () => {
      const { href } = new URL('passerby-chat.js' + again, src);
      // What does not match stays failed for the import after it. Without a version the file changes under a
      // loader that a browser has kept.
      const rel = 'modulepreload';
      const integrity = src.includes('/widget/') ? '__INTEGRITY__' : '';
      own('head').append(Object.assign(make('link'), { rel, crossOrigin: '', integrity, href }));
      return import(href).catch(() => {
        button.title = 'Not loaded. Try again';
        // Some browsers remember a failure by its address.
        again += '?';
      });
    };
    button.className = 'launcher';
    button.title = dataset['label'] || 'Talk to someone here';
    button.onpointerenter = load;
    button.onclick = () => {
      element.setAttribute('open', '');
      void load();
    };

    const root = element.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(launcher + discs);
    root.adoptedStyleSheets = [sheet];
    root.append(button);
    if (dataset['color']) element.style.setProperty('--passerby-you', dataset['color']);
    try {
      if ('open' in dataset || sessionStorage[`passerby:${dataset['site']}:${dataset['scope'] ?? ''}`]) void load();
    } catch {
      // This page may not store anything, so nothing is to be taken up.
    }
  }

  const place = () => element.isConnected || own('body')?.append(element);
  place();
  // Before there is a body; and Turbo and its like exchange the body and keep the head.
  new MutationObserver(place).observe(own('documentElement'), { childList: true });
}
