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

const script = (document.currentScript ?? document.querySelector('script[data-site]')) as HTMLScriptElement;

const build = () => {
  const element = document.createElement('passerby-chat');
  const { dataset } = script;
  for (const name in dataset) element.setAttribute(name, dataset[name]!);
  // Already there where the page imports the module itself.
  if (element.shadowRoot) return element;

  const load = () => import(new URL('passerby-chat.js', script.src).href).catch(() => element.removeAttribute('open'));
  const root = element.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(launcher + discs);
  root.adoptedStyleSheets = [sheet];
  if (dataset['color']) element.style.setProperty('--passerby-you', dataset['color']);

  const button = document.createElement('button');
  button.className = 'launcher';
  button.ariaLabel = button.title = dataset['label'] || 'Talk to someone here';
  button.onpointerenter = load;
  button.onclick = () => {
    element.setAttribute('open', '');
    void load();
  };
  root.append(button);
  if ('open' in dataset) void load();
  return element;
};

const place = () => {
  if (!document.body) return;
  const element = (window.passerbyChat ??= build());
  if (!element.isConnected) document.body.append(element);
};

place();
// Before there is a body; and Turbo and its like exchange the body and keep the head.
new MutationObserver(place).observe(document.documentElement, { childList: true });
