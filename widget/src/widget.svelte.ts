import {
  canResume,
  createChat,
  type Chat,
  type ChatError,
  type ChatState,
  type Claims,
  type ConversationId,
  type Criteria,
} from '@passerby/sdk';
import { ChatModel } from './chat.svelte.ts';
import { en, type Strings } from './i18n/en.ts';
import { UnreadTitle } from './launcher/unread-title.ts';
import type { WidgetOptions } from './options.ts';
import { adviseOwner } from './refused/advise-owner.ts';
import { forget, recall, remember } from './draft-storage.ts';
import { spokenLanguages } from './start/interests.ts';

/** Sheet over the panel until it is closed. */
export type Sheet =
  | { readonly kind: 'report'; readonly conversationId: ConversationId }
  /** A stranger's link was pressed. */
  | { readonly kind: 'leave'; readonly href: string };

/** One widget: what its element was told, whether it is open, and its chat once there is one. */
export class WidgetModel {
  options = $state.raw<WidgetOptions>() as WidgetOptions;
  strings = $state.raw<Strings>(en);
  isOpen = $state(false);
  /** Nothing is made, and no connection opened, before the first opening, unless there is something to take up. */
  chat = $state.raw<ChatModel | null>(null);
  /** The chat could not even be made: what the element was told makes no sense. */
  isMisconfigured = $state(false);
  unread = $state(0);
  textOnBrand = $state<string>();
  /** Moves while something on the screen counts seconds. */
  now = $state(Date.now());

  /** Choices of the visitor on the start screen. */
  interests = $state.raw<readonly string[]>([]);
  isTopicWanted = $state(true);
  /** True if each message shows its time. */
  hasTimes = $state(false);

  sheet = $state.raw<Sheet | null>(null);

  /** Claims about the visitor: see `ChatOptions.claims`. Read when the chat is made. */
  claims: Claims | undefined;

  readonly #title = new UnreadTitle();
  #given: Chat | undefined;
  #made: Chat | undefined;

  readonly #options: () => WidgetOptions;

  /** `options` reads what the element and the page say now. */
  constructor(options: () => WidgetOptions) {
    this.#options = options;
    this.readOptions();
  }

  readOptions(): void {
    this.options = this.#options();
  }

  /** A chat of the page's own, to be used instead of making one. */
  give(chat: Chat): void {
    this.release();
    this.#given = chat;
    if (this.isOpen) this.#prepare();
  }

  /**
   * Goes on with what the page before this one left in this tab. Resolves with whether the panel stood open
   * there, and is to be opened. A chat of the page's own is taken as it is.
   */
  async takeUp(): Promise<boolean> {
    const { isOpen } = recall(this.options);
    const given = this.#given?.snapshot().state;
    const isTakenUp = given ? isRunning(given) : await this.#resume();
    if (isTakenUp) this.#prepare();
    else forget(this.options);
    return isTakenUp && isOpen;
  }

  /** Leaves the next page what it cannot know otherwise, as long as there is something to go on with. */
  remember(): void {
    if (!this.chat) return;
    const { isOpen, options } = this;
    const { draft, snapshot } = this.chat;
    if (isRunning(snapshot.state)) remember(options, { isOpen, draft });
    else forget(options);
  }

  open(): void {
    this.isOpen = true;
    this.#prepare();
    this.see();
  }

  /** Notes that what came in while the visitor looked elsewhere has been seen. */
  see(): void {
    if (!this.#isSeen()) return;
    this.unread = 0;
    this.#title.restore();
  }

  criteria(): Criteria {
    // The page may have become another one without a load.
    this.readOptions();
    const { topic } = this.options;
    return {
      languages: spokenLanguages(navigator.languages),
      ...(this.interests.length > 0 && { interests: this.interests }),
      ...(topic !== '' && this.isTopicWanted && { topic }),
    };
  }

  /** Opens the form about the stranger of the conversation on view. */
  report(): void {
    const state = this.chat?.snapshot.state;
    if (state?.status === 'chatting' || state?.status === 'ended')
      this.sheet = { kind: 'report', conversationId: state.conversationId };
  }

  find(): void {
    this.chat?.find(this.criteria());
  }

  /** Leaves nothing behind. The next opening starts anew. */
  release(): void {
    if (this.chat) forget(this.options);
    this.chat?.release();
    this.chat = null;
    this.sheet = null;
    void this.#made?.close();
    document.removeEventListener('securitypolicyviolation', this.#onViolation);
    this.#made = undefined;
    this.unread = 0;
    this.#title.restore();
  }

  #prepare(): void {
    // Made and not shown yet: it is being taken up.
    if (this.chat || this.#made) return;
    const chat = this.#given ?? this.#make();
    if (chat) this.#show(chat).connect();
  }

  #make(): Chat | undefined {
    const { site, scope, api } = this.options;
    try {
      this.#made = createChat({ url: api, site, scope, ...(this.claims && { claims: this.claims }) });
      document.addEventListener('securitypolicyviolation', this.#onViolation);
      return this.#made;
    } catch (error) {
      this.isMisconfigured = true;
      adviseOwner(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  async #resume(): Promise<boolean> {
    if (!canResume(this.options)) return false;
    const chat = this.#make();
    const isResumed = (await chat?.resume()) ?? false;
    // Taken out of the page meanwhile, or given another chat.
    if (!chat || this.#made !== chat) return false;
    const model = this.#show(chat);
    if (!isResumed) model.connect();
    return isResumed;
  }

  #show(chat: Chat): ChatModel {
    const model = new ChatModel(
      chat,
      () => this.#news(),
      (error) => this.#advise(error),
    );
    if (model.snapshot.state.status !== 'idle') model.draft = recall(this.options).draft;
    return (this.chat = model);
  }

  #advise(error: ChatError): void {
    if (error.code === 'origin_refused') adviseOwner('origin_refused', this.options.site);
    else if (error.code === 'claims_refused' || error.code === 'key_revoked') adviseOwner(error.message);
  }

  /** The page's own policy keeps the chat from its service, which no error says. */
  readonly #onViolation = ({ effectiveDirective, blockedURI }: SecurityPolicyViolationEvent): void => {
    const { api } = this.options;
    const socket = api.replace('http', 'ws');
    if (effectiveDirective === 'connect-src' && [api, socket].some((origin) => blockedURI.startsWith(origin)))
      adviseOwner(`the Content-Security-Policy of this page needs connect-src ${api} ${socket}`);
  };

  #isSeen(): boolean {
    return this.isOpen && document.visibilityState === 'visible';
  }

  #news(): void {
    if (this.#isSeen()) return;
    this.unread += 1;
    if (document.hidden) this.#title.show(this.unread);
  }
}

/** Returns whether there is something for the next page to go on with. */
const isRunning = ({ status }: ChatState) => status === 'waiting' || status === 'chatting';
