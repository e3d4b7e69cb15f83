import { backoffMs } from '../connection/retry.ts';
import type { RequestOutcome } from '../connection/transport.ts';
import { ChatError } from '../errors.ts';
import { assertNever } from '../internal/assert-never.ts';
import { Timer } from '../internal/timer.ts';
import type { ConversationId, FindPayload, RequestName, RequestPayload, SessionState } from '../protocol/index.ts';
import type { ActiveState, PersistedDeparture } from '../tabs/persisted-state.ts';
import { type Departure, Departures } from './departures.ts';
import { type CancelResult, Search } from './search.ts';

/** Maximum number of unanswered or failed tries of one command in a row, before something else is done about it. */
const TRIES = 3;

export interface CommandQueueParts {
  readonly isReady: () => boolean;
  readonly isInConversation: () => boolean;
  readonly request: <Name extends RequestName>(
    name: Name,
    payload: RequestPayload<Name>,
  ) => Promise<RequestOutcome<Name>>;
  /** Computes a proof of work and hands it in, until `stop`. May fail silently; rejects with why it cannot. */
  readonly prove: (stop: AbortController) => Promise<void>;
  readonly reconnect: (keepsSession?: boolean) => void;
  readonly random: () => number;
  /** Called when the search ends without a match: it was cancelled, or refused. */
  readonly searchOver: () => void;
  /** Called when `departures` changes. */
  readonly departuresChanged: () => void;
}

/**
 * Queue of what the service must still be told: departures first, then the search. One request at a time; what was not
 * answered is sent again, over a new connection too, until the service is known to agree.
 */
export class CommandQueue {
  readonly #parts: CommandQueueParts;
  readonly #search: Search;
  readonly #departures: Departures;
  readonly #retry = new Timer();
  /** The last search, which the service takes up again if its match falls through. */
  #lastFind: FindPayload | null = null;
  #isBusy = false;
  /** Tries in a row that were not answered, or failed. */
  #failures = 0;
  #isClosed = false;

  constructor(parts: CommandQueueParts) {
    this.#parts = parts;
    this.#search = new Search({ over: parts.searchOver, matchOverdue: () => parts.reconnect() });
    this.#departures = new Departures(parts.departuresChanged);
  }

  get isSearching(): boolean {
    return this.#search.isSearching;
  }

  /** Returns whether somebody waits to hear what became of the search. */
  get isAwaited(): boolean {
    return this.#search.isAwaited;
  }

  /** Criteria of the last search; `null` before the first. */
  get lastFind(): FindPayload | null {
    return this.#lastFind;
  }

  /** Departures that the service must still be told of, for the next page. */
  get departures(): readonly PersistedDeparture[] {
    return this.#departures.kept;
  }

  /**
   * Looks for this from now on, whatever was looked for before, and leaves a conversation in the same
   * step. Resolves once the service has it, or a match came first.
   */
  search(find: FindPayload, leave?: ConversationId): Promise<void> {
    this.#lastFind = find;
    if (leave !== undefined) void this.#departures.add('leave', leave);
    const held = this.#search.start(find);
    this.#pumpNow();
    return held;
  }

  /** Asks to give up the search. Without a connection it is given up at once. */
  cancel(): Promise<CancelResult> {
    const result = this.#search.cancel();
    if (this.#parts.isReady()) this.#pumpNow();
    else this.#search.stopWaiting();
    return result;
  }

  /** Gives up the search at once. Resolves once the service agreed or cannot be reached; never rejects. */
  dropSearch(): Promise<void> {
    if (!this.#search.drop()) return Promise.resolve();
    this.#pumpNow();
    return this.#parts.isReady() ? this.#search.whenDropped() : Promise.resolve();
  }

  /** Leaves a conversation; resolves once the service agreed or cannot be reached; never rejects. */
  leave(conversationId: ConversationId): Promise<void> {
    const done = this.#departures.add('leave', conversationId);
    this.#pumpNow();
    return this.#parts.isReady() ? done : Promise.resolve();
  }

  /** Blocks the peer of a conversation and leaves it; resolves once that holds. */
  block(conversationId: ConversationId): Promise<void> {
    const done = this.#departures.add('block', conversationId);
    this.#pumpNow();
    return done;
  }

  /** Goes on where the page before this one stopped. */
  restore({ isSearching, find, departures }: Omit<ActiveState, 'conversation'>): void {
    this.#lastFind = find;
    if (isSearching) this.takenUp();
    this.#departures.restore(departures);
  }

  /** Returns whether a conversation that just started is one the visitor wants. */
  wants(conversationId: ConversationId): boolean {
    return this.#search.isMatchWanted && !this.isLeaving(conversationId);
  }

  isLeaving(conversationId: ConversationId): boolean {
    return this.#departures.has(conversationId);
  }

  /** The wanted conversation started. */
  matched(): void {
    this.#search.matched();
  }

  /** The service has the last search, and looks again by itself: its match fell through. */
  takenUp(): void {
    if (this.#lastFind !== null) this.#search.goOnWith(this.#lastFind);
  }

  /** A conversation started that is not wanted: leaves it, and goes on with the present search. */
  turnDown(conversationId: ConversationId): void {
    this.#search.gone();
    void this.leave(conversationId);
  }

  /** A new connection has said where the session stands. Call `resume` once that has been dealt with. */
  ready(recovered: boolean, state: SessionState): void {
    this.#retry.stop();
    this.#failures = 0;
    const running = state.status === 'chatting' ? state.conversation.conversationId : null;
    // A conversation that is to be left is not the match of a search given up since.
    const isLeft = running !== null && this.isLeaving(running);
    this.#search.ready(!isLeft && (recovered || running !== null) ? state.status : 'idle');
    this.#departures.ready(recovered, running);
  }

  resume(): void {
    this.#pump();
  }

  /** The connection was lost. Whoever waits for a courtesy need not wait for the next one. */
  lost(): void {
    this.#retry.stop();
    this.#search.lost();
    this.#departures.stopWaiting();
  }

  /** The service refused the session, or it goes on in another tab: nothing can be told any more. */
  refused(error: ChatError): void {
    this.#retry.stop();
    this.#search.stop(error);
    this.#departures.clear();
  }

  close(): void {
    this.#isClosed = true;
    const error = new ChatError('closed');
    this.#departures.clear(error);
    this.refused(error);
  }

  /** The visitor did something: no waiting for a retry before it. */
  #pumpNow(): void {
    this.#retry.stop();
    this.#pump();
  }

  #pump(): void {
    if (this.#isBusy || this.#isClosed || this.#retry.isRunning || !this.#parts.isReady()) return;
    const departure = this.#departures.first;
    // A listener that hears of the end may have begun something at once, which is under way then.
    if (departure === undefined && this.#search.endUnknown()) {
      this.#pump();
      return;
    }
    const { step } = this.#search;
    if (departure !== undefined) void this.#run(() => this.#depart(departure, step === 'cancel' ? null : step));
    else if (step === 'cancel') void this.#run(() => this.#cancel());
    else if (step !== null) void this.#run(() => this.#find(step));
  }

  async #run(command: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await command();
    } finally {
      this.#isBusy = false;
    }
    this.#pump();
  }

  async #find(find: FindPayload): Promise<void> {
    this.#search.asked(find);
    const outcome = await this.#parts.request('match:find', find);
    if (this.#isClosed) return;
    if (!this.#search.isAnswerDue) {
      this.#overtaken(outcome);
      return;
    }
    switch (outcome.kind) {
      case 'answered':
        this.#failures = 0;
        this.#search.answered(find, outcome.data.status);
        return;
      case 'unknown':
        this.#unanswered();
        return;
      case 'refused':
        this.#findRefused(find, ChatError.fromWire(outcome.error));
        return;
      default:
        assertNever(outcome);
    }
  }

  /** A match came before the answer. Its conversation may be over, and the service have taken the search after that. */
  #overtaken(outcome: RequestOutcome<'match:find'>): void {
    const mayWait = outcome.kind === 'answered' ? outcome.data.status === 'waiting' : outcome.kind === 'unknown';
    if (mayWait && this.#parts.isReady() && !this.#parts.isInConversation()) this.#search.ready('waiting');
  }

  #findRefused(find: FindPayload, error: ChatError): void {
    if (error.code === 'already_in_conversation') {
      this.#search.answered(find, 'matched');
      return;
    }
    const mayHelp = error.retry === 'new_session' || error.code === 'internal' || error.code === 'unavailable';
    if (mayHelp && this.#failures + 1 < TRIES) {
      this.#failed(error);
      return;
    }
    this.#searchRefused(find, error);
  }

  #searchRefused(find: FindPayload, error: ChatError): void {
    // An earlier try may have been taken.
    const isUncertain = this.#failures > 0;
    this.#failures = 0;
    const stop = error.code === 'proof_needed' ? this.#search.startProof(isUncertain) : null;
    if (stop === null) this.#search.refused(find, error, isUncertain);
    else void this.#prove(stop);
  }

  /** Beside the queue, so that the visitor can cancel meanwhile. */
  async #prove(stop: AbortController): Promise<void> {
    const failure = await this.#parts.prove(stop).then(
      () => null,
      (error: unknown) => (error instanceof ChatError ? error : new ChatError('proof_needed')),
    );
    this.#search.proofDone(stop, failure);
    this.#pump();
  }

  async #cancel(): Promise<void> {
    const outcome = await this.#parts.request('match:cancel', {});
    if (this.#isClosed) return;
    if (outcome.kind === 'answered') {
      this.#failures = 0;
      this.#search.cancelAnswered(outcome.data.status);
      return;
    }
    this.#stopWaiting();
    if (this.#search.step !== 'cancel') return;
    if (outcome.kind === 'unknown') {
      this.#unanswered();
      return;
    }
    const error = ChatError.fromWire(outcome.error);
    if (error.retry === 'never') this.#search.gone();
    else this.#failed(error);
  }

  /** Leaves a conversation, and searches for `next` in the same step; or blocks its peer. */
  async #depart(departure: Departure, step: FindPayload | null): Promise<void> {
    const { kind, conversationId, waiters } = departure;
    const next = kind === 'leave' ? step : null;
    if (next !== null) this.#search.asked(next);
    const { request } = this.#parts;
    const outcome =
      kind === 'block'
        ? await request('conversation:block', { conversationId })
        : await request('conversation:leave', { conversationId, ...(next && { next }) });
    if (this.#isClosed) return;
    // Whoever leaves waits for one answer only.
    if (kind === 'leave') waiters.resolve();
    switch (outcome.kind) {
      case 'answered':
        this.#failures = 0;
        this.#departures.told(departure);
        if (next !== null && 'next' in outcome.data && outcome.data.next !== null)
          this.#search.answered(next, outcome.data.next);
        return;
      case 'unknown':
        this.#unanswered();
        return;
      case 'refused': {
        const error = ChatError.fromWire(outcome.error);
        if (next !== null && (error.retry === 'never' || error.code === 'banned')) {
          // It is the search that is refused: leaves without it.
          this.#searchRefused(next, error);
        } else if (error.retry === 'never') {
          waiters.reject(error);
          this.#departures.told(departure);
        } else {
          this.#failed(error);
        }
        return;
      }
      default:
        assertNever(outcome);
    }
  }

  /** No answer in time: asked again at once, over a new connection if the present one seems dead. */
  #unanswered(): void {
    if (!this.#parts.isReady()) return;
    this.#failures += 1;
    if (this.#failures < TRIES - 1) return;
    this.#failures = 0;
    this.#parts.reconnect();
  }

  #failed(error: ChatError): void {
    this.#failures += 1;
    if (error.retry === 'new_session') {
      this.#parts.reconnect(false);
      return;
    }
    this.#retry.start((error.retryAfterMs ?? 0) + backoffMs(this.#failures, this.#parts.random), () => {
      this.#pump();
    });
  }

  #stopWaiting(): void {
    this.#search.stopWaiting();
    this.#departures.stopWaiting();
  }
}
