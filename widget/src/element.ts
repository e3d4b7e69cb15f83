import type { Chat, Claims } from '@passerby/sdk';
import { mount, unmount } from 'svelte';
import { en, type Strings } from './i18n/en.ts';
import { OPTION_ATTRIBUTES, readOptions } from './options.ts';
import { ownDocument } from './own-document.ts';
import { textOnBrand } from './theme/brand.ts';
import { styleSheet } from './theme/sheet.ts';
import { WidgetModel } from './widget.svelte.ts';
import Widget from './Widget.svelte';

/**
 * Base class of the element. Without a DOM (server-side rendering) the module can be imported, and no element is
 * created.
 */
const PageElement = (globalThis.HTMLElement as typeof HTMLElement | undefined) ?? (class {} as typeof HTMLElement);

/** Methods that the loader replaces until this class is loaded. */
const STOOD_IN = ['open', 'close', 'remove', 'destroy'] as const;
/**
 * Events that do not propagate beyond the element: the page's shortcuts cannot tell its fields from the rest of the
 * page.
 */
const KEPT_EVENTS = ['keydown', 'keypress', 'keyup', 'beforeinput', 'input', 'copy', 'cut', 'paste'] as const;
/** Part of the component that the element uses. Not every tool reads the types of Svelte's compiler. */
interface Mounted {
  readonly focus: () => Promise<void>;
}
/** Interval at which the loader's launcher is checked for being still held down. Milliseconds. */
const RELEASE_MS = 100;

/**
 * `<passerby-chat site="pk_…">`: a launcher in a corner of the page, and behind it the chat.
 *
 * Attributes: `site` (required), `scope`, `api`, `topic`, `position` (`end` or `start`), `lang`, `theme` (`auto`,
 * `light` or `dark`), `label`, `color`, `inline`, `open`. It is open while it has `open`, and always when `inline`.
 */
export class PasserbyChatElement extends PageElement {
  static readonly observedAttributes = [...OPTION_ATTRIBUTES, 'open'];

  readonly #root: ShadowRoot;
  readonly #widget: WidgetModel;
  /** True for the element of the script tag, which stays in the page until `remove` or `destroy` is called. */
  #isOfTag = false;
  #component: Mounted | undefined;

  constructor() {
    super();
    // What the page set before the class was there would hide the accessors of the class.
    const own = { ...(this as unknown as Record<string, unknown>) };
    for (const name in own) Reflect.deleteProperty(this, name);
    for (const name of STOOD_IN) delete own[name];
    // The loader may have drawn a launcher already.
    this.#root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    // At the host: Svelte looks at the root whether an event was stopped.
    for (const type of KEPT_EVENTS) this.addEventListener(type, (event) => event.stopPropagation());
    this.#widget = new WidgetModel(() => this.#readOptions());
    Object.assign(this, own);
  }

  /** Returns whether the panel is open. */
  get isOpen(): boolean {
    return this.#widget.isOpen;
  }

  /**
   * Opens the panel; the first time, this connects to the service. The focus moves into it if it was on a button or
   * link, which then was pressed.
   */
  open(): void {
    this.setAttribute('open', '');
    if (isControlFocused()) void this.#component?.focus();
  }

  /** Closes the panel. A conversation goes on, and the launcher counts what comes in. */
  close(): void {
    this.removeAttribute('open');
  }

  /** Texts in place of the English ones; those left out stay English. */
  set strings(strings: Partial<Strings>) {
    this.#widget.strings = { ...en, ...strings };
  }
  get strings(): Strings {
    return this.#widget.strings;
  }

  /** Chat from `createChat` of `@passerby/sdk`, used instead of creating one. The page that created it has to close it. */
  set chat(chat: Chat) {
    this.#widget.give(chat);
    if (this.#component) this.#takeUp();
  }

  /**
   * JWT with the site's claims about the visitor, signed by its server, or a function that fetches one, called for
   * every connection. Has to be set before the element is in the page, or before it is opened.
   */
  set claims(claims: Claims | undefined) {
    this.#widget.claims = claims;
  }
  get claims(): Claims | undefined {
    return this.#widget.claims;
  }

  /** Removes the chat from the page for good. Ends a conversation, unless the element is put back in the same turn. */
  override remove(): void {
    if (this.#isOfTag) delete window.passerbyChat;
    super.remove();
  }

  /** Does what `remove` does, at once: nothing of the chat is left. */
  destroy(): void {
    this.remove();
    this.#release();
  }

  connectedCallback(): void {
    // The loader names it before it puts it in, but may have made it when the class was there already.
    if ((this.#isOfTag ||= window.passerbyChat === this)) window.passerbyChat ??= this;
    // A copy of the element of the tag, which libraries make of a page: it floats already, and there is one chat.
    else if (!this.#component && this.popover && window.passerbyChat) return super.remove();
    this.#float();
    // Moved to another place in the page, not new: the conversation goes on.
    if (this.#component) {
      this.#dress();
      return;
    }
    const drawn = this.#root.querySelector('button');
    // A finger on the loader's launcher: exchanged now, its click would be lost.
    if (drawn?.matches(':active') && !this.hasAttribute('open')) {
      setTimeout(() => this.isConnected && this.connectedCallback(), RELEASE_MS);
      return;
    }
    const hadFocus = drawn !== null && drawn === this.#root.activeElement;
    this.#dress();
    this.#root.replaceChildren();
    const component = mount(Widget, {
      target: this.#root,
      props: { widget: this.#widget, setOpen: (isOpen: boolean) => (isOpen ? this.open() : this.close()) },
    });
    this.#component = component as unknown as Mounted;
    addEventListener('pageshow', this.#onShown);
    this.#readBrand();
    this.#takeUp();
    this.#openOrClose();
    if (hadFocus || (this.isOpen && isControlFocused())) void this.#component.focus();
  }

  disconnectedCallback(): void {
    // A page that swaps its body takes the element out and puts it back in one go.
    setTimeout(() => {
      if (this.isConnected) return;
      // Without a body the loader waits for one.
      if (this.#isOfTag && window.passerbyChat === this) (ownDocument('body') as HTMLElement | null)?.append(this);
      else this.#release();
    });
  }

  #release(): void {
    if (!this.#component) return;
    removeEventListener('pageshow', this.#onShown);
    void unmount(this.#component);
    this.#component = undefined;
    this.#widget.release();
    this.#widget.isOpen = false;
  }

  /**
   * Moves the element to the top layer, above the page's stacking contexts and transforms; an inline one stays in its
   * place.
   */
  #float(): void {
    if (!this.isConnected) return;
    try {
      this.popover = this.hasAttribute('inline') ? null : 'manual';
      if (!this.matches('[inline], :popover-open')) this.showPopover();
    } catch {
      // A browser without popovers, or with what a page has for them: then it has the highest `z-index`.
    }
  }

  /** Adopts the style sheet, which is lost when the element moves through the document of a frame. */
  #dress(): void {
    if (this.ownerDocument === document) this.#root.adoptedStyleSheets = [styleSheet()];
  }

  attributeChangedCallback(name: string): void {
    if (name === 'inline') this.#float();
    this.#widget.readOptions();
    if (!this.#component) {
      // The loader's launcher was held down, and now it is pressed.
      if (name === 'open' && this.isConnected) this.connectedCallback();
      return;
    }
    if (name === 'color') this.#readBrand();
    this.#openOrClose();
  }

  /** Handles a return from the back/forward cache: another page of the tab may have started something meanwhile. */
  readonly #onShown = ({ persisted }: PageTransitionEvent): void => {
    if (persisted && !this.#widget.chat) this.#takeUp();
  };

  #takeUp(): void {
    void this.#widget.takeUp().then((wasOpen) => {
      if (wasOpen && this.isConnected) this.setAttribute('open', '');
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
      pageLang: ownDocument('documentElement').lang,
    });
  }

  #readBrand(): void {
    const { color } = this.#widget.options;
    if (color) this.style.setProperty('--passerby-you', color);
    const root = this.#root.firstElementChild;
    if (root instanceof HTMLElement) this.#widget.textOnBrand = textOnBrand(root);
  }
}

/** Returns whether the focused element is a control that can be pressed. */
const isControlFocused = (): boolean =>
  ownDocument('activeElement')?.matches('a, button, summary, [role="button"], passerby-chat') ?? false;
