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

/** State of one widget: the options of its element, whether it is open, and its chat once it is created. */
export class WidgetModel {
  options = $state.raw<WidgetOptions>() as WidgetOptions;
  strings = $state.raw<Strings>(en);
  isOpen = $state(false);
  /**
   * Chat of the widget. Not created, and no connection opened, before the first opening, unless there is a session to
   * resume.
   */
  chat = $state.raw<ChatModel | null>(null);
  /** True if the options of the element are invalid, so that no chat could be created. */
  isMisconfigured = $state(false);
  unread = $state(0);
  textOnBrand = $state<string>();
  /** Current time, Unix milliseconds. Updated only while something on the screen counts seconds. */
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

  /** `options` reads the present options from the element and the page. */
  constructor(options: () => WidgetOptions) {
    this.#options = options;
    this.readOptions();
  }

  readOptions(): void {
    this.options = this.#options();
  }

  /** Uses a chat of the page's own instead of creating one. */
  give(chat: Chat): void {
    this.release();
    this.#given = chat;
    if (this.isOpen) this.#prepare();
  }

  /**
   * Resumes what the previous page left in this tab. Resolves to whether the panel was open there and has to be opened.
   * A chat of the page's own is used as it is.
   */
  async takeUp(): Promise<boolean> {
    const { isOpen } = recall(this.options);
    const given = this.#given?.snapshot().state;
    const isTakenUp = given ? isRunning(given) : await this.#resume();
    if (isTakenUp) this.#prepare();
    else forget(this.options);
    return isTakenUp && isOpen;
  }

  /** Stores for the next page what it cannot know otherwise, as long as there is something to resume. */
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

  /** Marks what arrived while the visitor looked elsewhere as seen. */
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

  /** Opens the report form about the peer of the conversation on screen. */
  report(): void {
    const state = this.chat?.snapshot.state;
    if (state?.status === 'chatting' || state?.status === 'ended')
      this.sheet = { kind: 'report', conversationId: state.conversationId };
  }

  find(): void {
    this.chat?.find(this.criteria());
  }

  /** Releases everything. The next opening starts from the beginning. */
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

  /** Notices that the page's own Content Security Policy blocks the service, which no error reports. */
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

/** Returns whether there is something for the next page to resume. */
const isRunning = ({ status }: ChatState) => status === 'waiting' || status === 'chatting';
