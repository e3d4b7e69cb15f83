import { type ChatView, IDLE } from '../chat-view.ts';
import { ChatError } from '../errors.ts';
import type { ChatEvents } from '../events.ts';
import { AwakeTimer, isPrerendered } from '../internal/awake-timer.ts';
import { unixNow } from '../internal/clock.ts';
import type { PersistedState } from './persisted-state.ts';
import type { SessionPersistence } from './session-persistence.ts';
import type { TabLock, TabLockEvents } from './tab-lock.ts';

/** A page that goes still holds the tab's lock for a moment when the next one asks for it. Milliseconds. */
const UNLOAD_MS = 1_500;

/** Chat of this page, as far as it goes on in another tab or page, or comes from there. */
export interface MovableChat {
  /** Connects, unless closed. */
  start(): void;
  /** Disconnects, and leaves the stored state to the tab that has the chat. */
  disconnect(): void;
  /** Goes on from what another page or tab left. Returns whether there is a wait or a conversation in it. */
  adopt(kept: PersistedState): boolean;
  /** Goes on with nothing of what was begun. `isKept`: the stored state stays, since another page owns it. */
  letGo(error: ChatError, isKept?: boolean): void;
  /** Ends the conversation. Returns the event that is to follow. */
  endConversation(): ChatEvents['ended'] | null;
}

export interface TabOwnershipParts {
  readonly view: ChatView;
  readonly persistence: SessionPersistence;
  readonly lock: (events: TabLockEvents) => TabLock;
  readonly chat: MovableChat;
}

/** Ownership of the chat among the tabs of a site, and its way from one page of a tab to the next. */
export class TabOwnership {
  readonly #view: ChatView;
  readonly #persistence: SessionPersistence;
  readonly #chat: MovableChat;
  readonly #lock: TabLock;
  #movingHere: Promise<void> | null = null;
  #resuming: Promise<boolean> | null = null;
  /** Runs while a prerendered page waits to be shown. */
  readonly #shown = new AwakeTimer();
  #stopAwaitingShown = (): void => undefined;

  constructor({ view, persistence, lock, chat }: TabOwnershipParts) {
    this.#view = view;
    this.#persistence = persistence;
    this.#chat = chat;
    this.#lock = lock({
      handOver: () => {
        const { kept } = persistence;
        this.#goElsewhere();
        return kept;
      },
      taken: () => this.#goElsewhere(),
      freed: () => {
        if (view.state.status !== 'elsewhere') return;
        // What this tab has a copy of is over.
        persistence.own();
        view.show({ state: IDLE });
      },
    });
  }

  isHeldElsewhere(): boolean | Promise<boolean> {
    return this.#lock.isHeldElsewhere();
  }

  /** @throws ChatError `open_elsewhere`, always. */
  refuse(): never {
    this.#await();
    throw new ChatError('open_elsewhere');
  }

  release(): void {
    this.#lock.release();
  }

  /** Takes the chat for this tab: at once, or once the other tabs have answered. @throws ChatError `open_elsewhere`, `aborted`. */
  take(signal?: AbortSignal): Promise<void> | null {
    const isOurs = this.#lock.take();
    return isOurs === true ? null : this.#awaitAnswer(isOurs, signal);
  }

  /** Moves the chat here from the tab that has it. */
  takeOver(): Promise<void> {
    if (this.#view.state.status !== 'elsewhere') return Promise.resolve();
    return (this.#movingHere ??= this.#moveHere().finally(() => {
      this.#movingHere = null;
    }));
  }

  /** Takes up what the page before this one left. */
  resume(): Promise<boolean> {
    if (this.#view.isClosed) return Promise.resolve(false);
    return (this.#resuming ??= this.#resume().then((isTakenUp) => {
      // A later page of the tab may leave something yet, and this one come back from the back/forward cache.
      if (!isTakenUp) this.#resuming = null;
      return isTakenUp;
    }));
  }

  /** Another connection has the session now. */
  superseded(): void {
    if (!this.#view.isBusy) return;
    this.#goElsewhere();
    this.#lock.release();
  }

  /**
   * The page is back from the back/forward cache. After another page of this tab went on with what was stored, it goes on
   * from there, and with nothing if that page ended it. Returns whether that was so.
   */
  returned(): boolean {
    if (!this.#persistence.isOutdated) return false;
    const kept = this.#persistence.recall();
    if (!this.#view.isBusy) return kept !== null && this.#takeUpBegunElsewhere();
    const ended = kept === null ? this.#chat.endConversation() : null;
    this.#chat.letGo(new ChatError('aborted'), kept !== null);
    if (kept === null || !this.#chat.adopt(kept)) this.#view.show({ state: IDLE });
    if (ended !== null) this.#view.emitter.emit('ended', ended);
    return true;
  }

  close(): void | Promise<void> {
    this.#shown.stop();
    this.#stopAwaitingShown();
    return this.#lock.close();
  }

  async #awaitAnswer(isOurs: boolean | Promise<boolean>, signal?: AbortSignal): Promise<void> {
    const view = this.#view;
    const former = view.state;
    if (former.status !== 'waiting') view.show({ state: { status: 'waiting', since: unixNow(), progress: null } });
    const asking = view.state;
    const hasIt = await isOurs;
    if (view.state === asking && signal?.aborted === true) view.show({ state: former });
    if (view.state === asking) {
      if (!hasIt) this.refuse();
      return;
    }
    // Cancelled or closed meanwhile.
    if (hasIt && !view.isBusy) this.#lock.release();
    throw new ChatError(view.isClosed ? 'closed' : 'aborted');
  }

  /** Another tab has the chat: shows nothing of it here until that one is done. */
  #await(): void {
    this.#chat.disconnect();
    this.#view.show({ state: { status: 'elsewhere' } });
    this.#lock.watch();
  }

  /** The chat went to another tab. It is not over, so no end of it is emitted. */
  #goElsewhere(): void {
    if (this.#view.isClosed) return;
    this.#chat.letGo(new ChatError('open_elsewhere'));
    this.#view.show({ state: { status: 'elsewhere' } });
  }

  async #moveHere(): Promise<void> {
    const handed = await this.#lock.takeOver();
    if (this.#view.state.status !== 'elsewhere') {
      this.#lock.release();
      return;
    }
    const kept = handed ?? this.#persistence.recall();
    if (kept === null || !this.#chat.adopt(kept)) this.#view.show({ state: IDLE });
  }

  async #resume(): Promise<boolean> {
    // What this chat wrote itself it has, or has just left.
    if (!this.#persistence.isOutdated || this.#persistence.recall() === null) return false;
    // The page before still has the chat, and where there are no locks nothing else waits for it.
    if (isPrerendered()) await this.#whenShown();
    if (this.#view.isClosed) return false;
    const isOurs = this.#lock.take({ patienceMs: UNLOAD_MS });
    const hasIt = typeof isOurs === 'boolean' ? isOurs : await isOurs;
    if (this.#view.state.status !== 'idle') {
      // Closed meanwhile, or something else was begun.
      if (hasIt && !this.#view.isBusy) this.#lock.release();
      return false;
    }
    if (!hasIt) {
      this.#await();
      return true;
    }
    // Read once more: the page before goes on writing until it lets go of the lock.
    const kept = this.#persistence.recall();
    if (kept !== null && this.#chat.adopt(kept)) return true;
    this.#lock.release();
    return false;
  }

  #whenShown(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopAwaitingShown = resolve;
      this.#shown.start(0, resolve);
    });
  }

  /** Back without anything under way, after another page of this tab began something: goes on with that. */
  #takeUpBegunElsewhere(): boolean {
    if (!['idle', 'ended'].includes(this.#view.state.status)) return false;
    this.#chat.letGo(new ChatError('aborted'), true);
    this.#view.show({ state: IDLE });
    void this.#resume().then((isTakenUp) => {
      if (!isTakenUp && this.#view.state.status === 'idle') this.#chat.start();
    });
    return true;
  }
}
