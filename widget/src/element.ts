import type { Chat, Claims } from '@passerby/sdk';
import { mount, unmount } from 'svelte';
import { en, type Strings } from './i18n/en.ts';
import { OPTION_ATTRIBUTES, readOptions } from './options.ts';
import { textOnBrand } from './theme/brand.ts';
import { styleSheet } from './theme/sheet.ts';
import { WidgetModel } from './widget.svelte.ts';
import Widget from './Widget.svelte';

/**
 * `<passerby-chat site="pk_…">`: a launcher in a corner of the page, and behind it the chat.
 *
 * Attributes: `site` (required), `scope`, `api`, `topic`, `position` (`end` or `start`), `lang`, `theme` (`auto`,
 * `light` or `dark`), `label`, `color`, `inline`, `open`. It is open while it has `open`, and always when `inline`.
 */
export class PasserbyChatElement extends HTMLElement {
  static readonly observedAttributes = [...OPTION_ATTRIBUTES, 'open'];

  readonly #root: ShadowRoot;
  readonly #widget: WidgetModel;
  #component: Record<string, unknown> | undefined;

  constructor() {
    super();
    // The loader may have drawn a launcher already.
    this.#root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    this.#widget = new WidgetModel(this.#readOptions());
  }

  /** Whether the panel is open. */
  get isOpen(): boolean {
    return this.#widget.isOpen;
  }

  /** Opens the panel; the first time, this connects to the service. */
  open(): void {
    this.setAttribute('open', '');
  }

  /** Closes the panel. A conversation goes on, and the launcher counts what comes in. */
  close(): void {
    this.removeAttribute('open');
  }

  /** Other words than the English ones; what is left out stays English. */
  set strings(strings: Partial<Strings>) {
    this.#widget.strings = { ...en, ...strings };
  }
  get strings(): Strings {
    return this.#widget.strings;
  }

  /** A chat of your own (from `createChat` of `@passerby/sdk`) to be used instead of making one. It stays yours to close. */
  set chat(chat: Chat) {
    this.#widget.give(chat);
    if (this.#component) this.#takeUp();
  }

  /**
   * A JWT signed by the site's server that says what it knows of the visitor, or a function that fetches one,
   * asked anew for every connection. To be set before the element stands in the page, or before it is opened.
   */
  set claims(claims: Claims | undefined) {
    this.#widget.claims = claims;
  }
  get claims(): Claims | undefined {
    return this.#widget.claims;
  }

  connectedCallback(): void {
    // Moved to another place in the page, not new: the conversation goes on.
    if (this.#component) return;
    const drawn = this.#root.querySelector('button');
    // A finger on the loader's launcher: exchanged now, its click would be lost.
    if (drawn?.matches(':active')) {
      addEventListener('pointerup', () => setTimeout(() => this.isConnected && this.connectedCallback()), {
        once: true,
      });
      return;
    }
    const hadFocus = drawn !== null && drawn === this.#root.activeElement;
    this.#root.adoptedStyleSheets = [styleSheet()];
    this.#root.replaceChildren();
    this.#component = mount(Widget, {
      target: this.#root,
      props: { widget: this.#widget, setOpen: (isOpen: boolean) => (isOpen ? this.open() : this.close()) },
    });
    if (hadFocus) this.#root.querySelector('button')?.focus();
    this.#readBrand();
    this.#takeUp();
    this.#openOrClose();
  }

  disconnectedCallback(): void {
    // A page that swaps its body takes the element out and puts it back in one go.
    setTimeout(() => {
      if (this.isConnected || !this.#component) return;
      void unmount(this.#component);
      this.#component = undefined;
      this.#widget.release();
      this.#widget.isOpen = false;
    });
  }

  attributeChangedCallback(name: string): void {
    if (name !== 'open') this.#widget.options = this.#readOptions();
    if (!this.#component) return;
    if (name === 'color') this.#readBrand();
    this.#openOrClose();
  }

  #takeUp(): void {
    void this.#widget.takeUp().then((wasOpen) => {
      if (wasOpen && this.isConnected) this.open();
    });
  }

  #openOrClose(): void {
    if (this.hasAttribute('open') || this.hasAttribute('inline')) this.#widget.open();
    else this.#widget.isOpen = false;
  }

  #readOptions() {
    return readOptions((name) => this.getAttribute(name), {
      moduleUrl: import.meta.url,
      pagePath: location.pathname,
      pageLang: document.documentElement.lang,
    });
  }

  #readBrand(): void {
    const { color } = this.#widget.options;
    if (color) this.style.setProperty('--passerby-you', color);
    const root = this.#root.firstElementChild;
    if (root instanceof HTMLElement) this.#widget.textOnBrand = textOnBrand(root);
  }
}
