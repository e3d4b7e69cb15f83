import { createChat, type Chat, type ChatError, type Criteria } from '@passerby/sdk';
import { ChatModel } from './chat.svelte.ts';
import { en, type Strings } from './i18n/en.ts';
import { UnreadTitle } from './launcher/unread-title.ts';
import type { WidgetOptions } from './options.ts';
import { adviseOwner } from './refused/advise-owner.ts';
import { spokenLanguages } from './start/interests.ts';

/** One widget: what its element was told, whether it is open, and its chat once there is one. */
export class WidgetModel {
  options = $state.raw<WidgetOptions>() as WidgetOptions;
  strings = $state.raw<Strings>(en);
  isOpen = $state(false);
  /** Nothing is made, and no connection opened, before the first opening. */
  chat = $state.raw<ChatModel | null>(null);
  /** The chat could not even be made: what the element was told makes no sense. */
  isMisconfigured = $state(false);
  unread = $state(0);
  textOnBrand = $state<string>();
  /** Moves while something on the screen counts seconds. */
  now = $state(Date.now());

  /** What the visitor chose on the start screen. */
  interests = $state.raw<readonly string[]>([]);
  isTopicWanted = $state(true);
  /** Whether each message shows its time. */
  hasTimes = $state(false);

  readonly #title = new UnreadTitle();
  #given: Chat | undefined;
  #made: Chat | undefined;

  constructor(options: WidgetOptions) {
    this.options = options;
  }

  /** A chat of the page's own, to be used instead of making one. */
  give(chat: Chat): void {
    this.release();
    this.#given = chat;
    if (this.isOpen) this.#prepare();
  }

  open(): void {
    this.isOpen = true;
    this.#prepare();
    this.see();
  }

  /** What came in while the visitor looked elsewhere has been seen now. */
  see(): void {
    if (!this.#isSeen()) return;
    this.unread = 0;
    this.#title.restore();
  }

  criteria(): Criteria {
    const { topic } = this.options;
    return {
      languages: spokenLanguages(navigator.languages),
      ...(this.interests.length > 0 && { interests: this.interests }),
      ...(topic !== '' && this.isTopicWanted && { topic }),
    };
  }

  find(): void {
    this.chat?.find(this.criteria());
  }

  /** Leaves nothing behind. The next opening starts anew. */
  release(): void {
    this.chat?.release();
    this.chat = null;
    void this.#made?.close();
    this.#made = undefined;
    this.#given = undefined;
    this.unread = 0;
    this.#title.restore();
  }

  #prepare(): void {
    if (this.chat) return;
    const { site, api } = this.options;
    try {
      const chat = this.#given ?? (this.#made = createChat({ url: api, site }));
      this.chat = new ChatModel(
        chat,
        () => this.#news(),
        (error) => this.#advise(error),
      );
      this.chat.connect();
    } catch (error) {
      this.isMisconfigured = true;
      adviseOwner(error instanceof Error ? error.message : String(error));
    }
  }

  #advise(error: ChatError): void {
    if (error.code === 'origin_refused') adviseOwner('origin_refused', this.options.site);
  }

  #isSeen(): boolean {
    return this.isOpen && document.visibilityState === 'visible';
  }

  #news(): void {
    if (this.#isSeen()) return;
    this.unread += 1;
    if (document.hidden) this.#title.show(this.unread);
  }
}
