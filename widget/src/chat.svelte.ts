import { type Agreement, type Chat, ChatError, type ChatSnapshot, type Criteria, type Report } from '@passerby/sdk';

/** Failure of the visitor's last action, shown until their next action. */
export interface Notice {
  readonly error: ChatError;
  /** Earliest time of a retry, Unix milliseconds; `null` if unknown. */
  readonly retryAt: number | null;
}

/** Time after the start of a conversation in which a press of "next" was meant for the one before. Milliseconds. */
const FRESH_MS = 800;

/** Model of a chat for the screens: its snapshot as reactive state, and its calls with refusals turned into a notice. */
export class ChatModel {
  snapshot = $state.raw<ChatSnapshot>() as ChatSnapshot;
  notice = $state.raw<Notice | null>(null);
  /** Text of the composer. Kept across screens and lost connections, for one conversation. */
  draft = $state('');
  /** True if the visitor has just blocked the peer: the next screen says so. */
  hasBlocked = $state(false);
  /** Earliest retry after a refusal by the service, Unix milliseconds; `null` if unknown. */
  refusedUntil = $state.raw<number | null>(null);
  /** End of the last conversation, as `performance.now()`. */
  endedAt = performance.now();

  readonly #chat: Chat;
  readonly #onError: (error: ChatError) => void;
  readonly #undo: readonly (() => void)[];
  #startedAt = -Infinity;
  #conversationId: string | undefined;
  #noticeOver: ReturnType<typeof setTimeout> | undefined;

  /**
   * `onNews` is called for events that a visitor who looks elsewhere should notice: a match, a message. `onError` is
   * called for failures that no action of the visitor caused, and for the reason why the chat is refused.
   */
  constructor(chat: Chat, onNews: () => void, onError: (error: ChatError) => void) {
    this.#chat = chat;
    this.#onError = onError;
    this.#undo = [
      chat.subscribe((snapshot) => this.#turnTo(snapshot)),
      chat.on('started', () => {
        this.#startedAt = performance.now();
        this.notice = null;
        onNews();
      }),
      chat.on('message', onNews),
      chat.on('ended', () => (this.endedAt = performance.now())),
      // Too much was said at once: what was typed stays, what was sent goes out again by itself.
      chat.on('error', (error) => (error.code === 'rate_limited' ? this.#notice(error) : onError(error))),
    ];
  }

  connect(): void {
    // A refusal is in the snapshot.
    this.#chat.connect().catch(() => undefined);
  }

  find(criteria?: Criteria): void {
    this.#try(() => this.#chat.find(criteria));
  }

  cancel(): void {
    this.#try(() => this.#chat.cancel());
  }

  /** Takes over the session of another tab. */
  takeOver(): void {
    this.#try(() => this.#chat.takeOver());
  }

  skip(criteria?: Criteria): void {
    if (performance.now() - this.#startedAt > FRESH_MS) this.#try(() => this.#chat.skip(criteria));
  }

  leave(): void {
    this.#try(() => this.#chat.leave());
  }

  block(): void {
    this.#try(() => this.#chat.block());
    this.hasBlocked = true;
  }

  /** Never rejects: a refusal becomes a notice. */
  async agree(agreement: Agreement): Promise<void> {
    this.notice = null;
    await this.#chat.agree(agreement).catch((error: unknown) => this.#notice(error));
  }

  /** Rejects with the refusal, which the form shows. */
  report(report: Report): Promise<void> {
    return this.#chat.report(report);
  }

  /** Reports that a part of the widget could not be loaded. */
  failed(): void {
    this.#notice(new ChatError('unavailable'));
  }

  /** Sends the text of the composer, and clears it if the text was accepted. Returns whether it was. */
  send(): boolean {
    const text = this.draft.trim();
    if (text === '') return false;
    this.notice = null;
    try {
      this.#chat.send(text);
    } catch (error) {
      this.#notice(error);
      return false;
    }
    this.draft = '';
    return true;
  }

  typing(): void {
    this.#chat.typing(this.draft.trim() !== '');
  }

  /** Stops listening; the chat itself lives on. */
  release(): void {
    clearTimeout(this.#noticeOver);
    for (const undo of this.#undo) undo();
  }

  #turnTo(snapshot: ChatSnapshot): void {
    const before = (this.snapshot as ChatSnapshot | undefined)?.state;
    const former = before?.status;
    this.snapshot = snapshot;
    const { state } = snapshot;
    if (state.status === 'chatting' && state.conversationId !== this.#conversationId) {
      this.#conversationId = state.conversationId;
      this.draft = '';
    }
    if (state.status === 'refused' && state !== before) {
      this.refusedUntil = untilOf(state.error);
      this.#onError(state.error);
    }
    // The other tab is done; what the start screen shows, the service says.
    if (former === 'elsewhere' && snapshot.state.status === 'idle') this.connect();
  }

  #try(call: () => Promise<unknown>): void {
    this.notice = null;
    this.hasBlocked = false;
    call().catch((error: unknown) => this.#notice(error));
  }

  #notice(error: unknown): void {
    if (!(error instanceof Error && 'code' in error)) throw error;
    const refusal = error as ChatError;
    // The screen says it already.
    if (['refused', 'elsewhere'].includes(this.snapshot.state.status) || refusal.code === 'aborted') return;
    const notice = { error: refusal, retryAt: untilOf(refusal) };
    this.notice = notice;
    clearTimeout(this.#noticeOver);
    // Hours may be more than a timer takes.
    if (notice.retryAt !== null && notice.retryAt - Date.now() < 2 ** 31)
      this.#noticeOver = setTimeout(() => {
        if (this.notice === notice) this.notice = null;
      }, notice.retryAt - Date.now());
  }
}

const untilOf = ({ retryAfterMs }: ChatError) => (retryAfterMs === undefined ? null : Date.now() + retryAfterMs);
