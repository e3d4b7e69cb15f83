/**
 * The widget as a module: importing it defines `<passerby-chat>`. A page with the script tag need not import it:
 * `widget.js` does so on demand.
 */
import { PasserbyChatElement } from './element.ts';

export { PasserbyChatElement };
export type { Strings, StringName } from './i18n/en.ts';

/** The name of the element. */
export const TAG_NAME = 'passerby-chat';

// Loaded twice, by two script tags or two bundles: the first one stays.
if (globalThis.customElements && !customElements.get(TAG_NAME)) customElements.define(TAG_NAME, PasserbyChatElement);

/**
 * Adds a widget to `target` (default: the end of the page) and returns its element. `attributes` are those of the
 * element.
 */
export function mount(attributes: Readonly<Record<string, string>>, target: Element = document.body): HTMLElement {
  const element = document.createElement(TAG_NAME);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  target.append(element);
  return element;
}

declare global {
  interface HTMLElementTagNameMap {
    'passerby-chat': PasserbyChatElement;
  }
}
