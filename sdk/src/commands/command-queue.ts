import { ChatError } from '../errors.ts';
import { assertNever } from '../internal/assert-never.ts';
import { Timer } from '../internal/timer.ts';
import {
  type ConversationId,
  type FindPayload,
  type FindReply,
  type RequestName,
  type RequestPayload,
  type SessionState,
  TIMES,
  type WireError,
} from '../protocol/index.ts';
import { backoffMs } from '../connection/retry.ts';
import type { ActiveState, PersistedDeparture } from '../tabs/persisted-state.ts';
import type { RequestOutcome } from '../connection/transport.ts';

/** Maximum number of unanswered or failed tries of one command in a row, before something else is done about it. */
const TRIES = 3;

export type CancelResult = 'cancelled' | 'already_matched';

export interface CommandQueueParts {
  readonly isReady: () => boolean;
  readonly request: <Name extends RequestName>(
    name: Name,
    payload: RequestPayload<Name>,
  ) => Promise<RequestOutcome<Name>>;
  /** Proves to the service that this page took some trouble, until `stop`. May fail silently; rejects with why it cannot. */
  readonly prove: (stop: AbortController) => Promise<void>;
  /** Drop the line and dial again. */
  readonly reconnect: (keepsSession?: boolean) => void;
  readonly random: () => number;
  /** The search is over without a match: it was cancelled, or refused. */
  readonly searchOver: () => void;
  /** The service was told that a conversation was left. */
  readonly departed: () => void;
}

interface Waiter<Value = void> {
  resolve(value: Value): void;
  reject(error: ChatError): void;
}

const NOBODY: Waiter = { resolve: () => undefined, reject: () => undefined };

interface Leaving extends PersistedDeparture {
  readonly waiter: Waiter;
}

type Step =
  | { readonly kind: 'depart'; readonly leaving: Leaving; readonly next: FindPayload | null }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'find'; readonly find: FindPayload };

/**
 * Queue of what the service must still be told: what to look for, what to cancel, which
 * conversation to leave. One request at a time; what was not answered is asked again, after a new
 * connection too, until the service is known to agree.
 */
export class CommandQueue {
  readonly #parts: CommandQueueParts;
  readonly #retry = new Timer();
  /** A match was announced in a reply; its push must come. */
  readonly #matchDue = new Timer();
  /** Criteria of the search; `null` for none. */
  #search: FindPayload | null = null;
  /** The search the service may know of, and the one it is known to hold. */
  #asked: FindPayload | null = null;
  #held: FindPayload | null = null;
  /** Wait for `#search` to be held. */
  #finders: Waiter[] = [];
  /** Ask to cancel; the search goes on until the service agrees. */
  #cancellers: Waiter<CancelResult>[] = [];
  /** The search is given up, whatever the service says: a match of it is turned down. */
  #mustCancel = false;
  #turnsDownMatch = false;
  #stoppers: (() => void)[] = [];
  #leavings: Leaving[] = [];
  #isBusy = false;
  /** A proof is being computed; the search is asked for once it is handed in. */
  #proving: AbortController | null = null;
  /** Proofs in a row that brought no search. */
  #proofs = 0;
  #failures = 0;
  #isClosed = false;

  constructor(parts: CommandQueueParts) {
    this.#parts = parts;
  }

  get isSearching(): boolean {
    return this.#search !== null;
  }

  /** Returns whether somebody waits to hear what became of the search. */
  get isAwaited(): boolean {
    return this.#finders.length > 0;
  }

  /**
   * Looks for this from now on, whatever was looked for before, and leaves a conversation in the same
   * step. Resolves once the service has it, or a match came first.
   */
  search(find: FindPayload, leave?: ConversationId): Promise<void> {
    this.#search = find;
    if (leave !== undefined) this.#leavings.push({ kind: 'leave', conversationId: leave, waiter: NOBODY });
    this.#answerCancellers('cancelled');
    const held = waiting<void>((waiter) => this.#finders.push(waiter));
    this.#pumpNow();
    return held;
  }

  /** Asks to give up the search. Without a connection it is given up at once. */
  cancel(): Promise<CancelResult> {
    const result = waiting<CancelResult>((waiter) => this.#cancellers.push(waiter));
    if (!this.#parts.isReady()) void this.dropSearch();
    else this.#pumpNow();
    return result;
  }

  /** Gives up the search at once. Resolves once the service agreed or cannot be reached; never rejects. */
  dropSearch(): Promise<void> {
    const wasAsked = this.#asked !== null;
    this.#endSearch(new ChatError('aborted'));
    if (!wasAsked) return Promise.resolve();
    this.#mustCancel = true;
    this.#turnsDownMatch = true;
    this.#pumpNow();
    if (!this.#parts.isReady()) return Promise.resolve();
    return new Promise((resolve) => this.#stoppers.push(resolve));
  }

  /** Leaves a conversation; resolves once the service agreed or cannot be reached; never rejects. */
  leave(conversationId: ConversationId): Promise<void> {
    const done = waiting<void>((waiter) => this.#leavings.push({ kind: 'leave', conversationId, waiter }));
    this.#pumpNow();
    return this.#parts.isReady() ? done : Promise.resolve();
  }

  /** Blocks the peer of a conversation and leaves it; resolves once that holds. */
  block(conversationId: ConversationId): Promise<void> {
    const done = waiting<void>((waiter) => this.#leavings.push({ kind: 'block', conversationId, waiter }));
    this.#pumpNow();
    return done;
  }

  /** Departures that the service must still be told of, for the next page. */
  get leavings(): readonly PersistedDeparture[] {
    return this.#leavings.map(({ kind, conversationId }) => ({ kind, conversationId }));
  }

  /** Goes on where the page before this one stopped. */
  restore({ isSearching, find, departures: leavings }: Omit<ActiveState, 'conversation'>): void {
    if (isSearching && find !== null) this.takenUp(find);
    this.#leavings = leavings.map((leaving) => ({ ...leaving, waiter: NOBODY }));
  }

  /** Returns whether a conversation that just started is one the visitor wants. */
  wants(conversationId: ConversationId): boolean {
    return this.#search !== null && !this.#turnsDownMatch && !this.isLeaving(conversationId);
  }

  isLeaving(conversationId: ConversationId): boolean {
    return this.#leavings.some((leaving) => leaving.conversationId === conversationId);
  }

  /** The wanted conversation started. */
  matched(): void {
    this.#forgetSearchThere();
    this.#search = null;
    this.#answerFinders(null);
    this.#answerCancellers('already_matched');
  }

  /** The service looks again by itself: the match of this search fell through. */
  takenUp(find: FindPayload): void {
    this.#search = find;
    this.#asked = find;
    this.#held = find;
  }

  /** A conversation started that nobody wants any more: leave it, go on with the present search. */
  turnDown(conversationId: ConversationId): void {
    this.#forgetSearchThere();
    void this.leave(conversationId);
  }

  /** A new line told the whole truth. Call `resume` once it has been dealt with. */
  ready(recovered: boolean, state: SessionState): void {
    this.#retry.stop();
    this.#failures = 0;
    const runningId = state.status === 'chatting' ? state.conversation.conversationId : null;
    if (!recovered || state.status !== 'waiting') {
      // A match found while the line was away of a search given up meanwhile is still turned down.
      const turnsDownMatch = this.#turnsDownMatch && runningId !== null;
      this.#forgetSearchThere();
      this.#turnsDownMatch = turnsDownMatch;
    } else {
      this.#matchDue.stop();
      // Asking again with the same id is the same wait, so there is no need to guess which one it is.
      this.#held = null;
      this.#asked ??= this.#search;
      if (this.#search === null) this.#mustCancel = true;
    }
    const isMoot = (leaving: Leaving): boolean =>
      !recovered || (leaving.kind === 'leave' && leaving.conversationId !== runningId);
    for (const leaving of this.#leavings.filter(isMoot)) leaving.waiter.resolve();
    this.#leavings = this.#leavings.filter((leaving) => !isMoot(leaving));
  }

  resume(): void {
    this.#pump();
  }

  /** The line went. Whoever waits for a courtesy need not wait for the next one. */
  lost(): void {
    this.#retry.stop();
    this.#matchDue.stop();
    this.#stopWaitingForAnswers();
  }

  /** The service refused the session, or it goes on in another tab: nothing can be told any more. */
  refused(error: ChatError): void {
    this.#retry.stop();
    this.#forgetSearchThere();
    this.#endSearch(error);
    this.#answerStoppers();
    for (const { waiter } of this.#leavings.splice(0)) waiter.resolve();
  }

  close(): void {
    this.#isClosed = true;
    for (const { kind, waiter } of this.#leavings.splice(0)) {
      if (kind === 'block') waiter.reject(new ChatError('closed'));
      else waiter.resolve();
    }
    this.refused(new ChatError('closed'));
  }

  /** The visitor did something: no waiting for a retry before it. */
  #pumpNow(): void {
    this.#retry.stop();
    this.#pump();
  }

  #pump(): void {
    if (this.#isBusy || this.#isClosed || this.#retry.isRunning || !this.#parts.isReady()) return;
    const step = this.#nextStep();
    if (step !== null) void this.#take(step);
  }

  #nextStep(): Step | null {
    const isUnheld = this.#search !== null && this.#held !== this.#search && this.#proving === null;
    const unheld = isUnheld ? this.#search : null;
    const leaving = this.#leavings[0];
    if (leaving !== undefined) {
      const next = leaving.kind === 'leave' && !this.#mustCancel && this.#cancellers.length === 0 ? unheld : null;
      return { kind: 'depart', leaving, next };
    }
    if (this.#mustCancel) return { kind: 'cancel' };
    if (this.#cancellers.length > 0) {
      if (this.#asked !== null) return { kind: 'cancel' };
      this.#endSearch(new ChatError('aborted'));
      this.#parts.searchOver();
      return null;
    }
    return unheld === null ? null : { kind: 'find', find: unheld };
  }

  async #take(step: Step): Promise<void> {
    this.#isBusy = true;
    await this.#carryOut(step);
    this.#isBusy = false;
    this.#pump();
  }

  #carryOut(step: Step): Promise<void> {
    switch (step.kind) {
      case 'depart':
        return step.leaving.kind === 'leave' ? this.#leave(step.leaving, step.next) : this.#block(step.leaving);
      case 'cancel':
        return this.#cancel();
      case 'find':
        return this.#find(step.find);
      default:
        return assertNever(step);
    }
  }

  async #find(find: FindPayload): Promise<void> {
    const wasHeld = this.#held;
    this.#asked = find;
    const outcome = await this.#parts.request('match:find', find);
    if (this.#isClosed || this.#asked !== find) return;
    switch (outcome.kind) {
      case 'answered':
        this.#failures = 0;
        this.#hold(find, outcome.data.status);
        return;
      case 'unknown':
        this.#unanswered();
        return;
      case 'refused':
        this.#findRefused(find, wasHeld, outcome.error);
    }
  }

  #findRefused(find: FindPayload, wasHeld: FindPayload | null, wire: WireError): void {
    const error = ChatError.fromWire(wire);
    if (error.code === 'already_in_conversation') {
      this.#hold(find, 'matched');
      return;
    }
    if (this.#mayProve(error)) {
      this.#asked = wasHeld;
      void this.#prove();
      return;
    }
    const mayHelp = error.retry === 'new_session' || error.code === 'internal' || error.code === 'unavailable';
    if (mayHelp && this.#failures + 1 < TRIES) {
      this.#failed(error);
      return;
    }
    const isUncertain = this.#failures > 0;
    this.#failures = 0;
    this.#asked = wasHeld;
    if (this.#search !== find) return;
    if (wasHeld !== null) {
      // The search before this one goes on.
      this.#search = wasHeld;
      this.#answerFinders(error);
      return;
    }
    if (isUncertain) {
      this.#mustCancel = true;
      this.#turnsDownMatch = true;
    }
    this.#endSearch(error);
    this.#parts.searchOver();
  }

  #mayProve(error: ChatError): boolean {
    return error.code === 'proof_needed' && this.#search !== null && this.#proofs < TRIES;
  }

  /** Beside the orders, so that the visitor can cancel meanwhile; the search is asked for again afterwards. */
  async #prove(): Promise<void> {
    const proving = new AbortController();
    this.#proving = proving;
    this.#proofs += 1;
    const failure = await this.#parts.prove(proving).then(
      () => null,
      (error: unknown) => (error instanceof ChatError ? error : new ChatError('proof_needed')),
    );
    if (this.#proving !== proving) return;
    this.#proving = null;
    if (failure !== null && this.#search !== null) {
      this.#endSearch(failure);
      this.#parts.searchOver();
    }
    this.#pump();
  }

  async #cancel(): Promise<void> {
    const outcome = await this.#parts.request('match:cancel', {});
    if (this.#isClosed) return;
    const isFinal = this.#mustCancel;
    switch (outcome.kind) {
      case 'answered':
        this.#failures = 0;
        this.#mustCancel = false;
        this.#answerStoppers();
        if (outcome.data.status === 'already_matched') {
          this.#answerCancellers('already_matched');
          if (this.#asked !== null) this.#expectMatch();
          return;
        }
        this.#forgetSearchThere();
        if (isFinal) return;
        break;
      case 'unknown':
        this.#stopWaitingForAnswers();
        if (this.#mustCancel) this.#unanswered();
        return;
      case 'refused': {
        const error = ChatError.fromWire(outcome.error);
        this.#stopWaitingForAnswers();
        if (!this.#mustCancel) return;
        if (error.retry === 'never') this.#mustCancel = false;
        else this.#failed(error);
        return;
      }
      default:
        assertNever(outcome);
    }
    if (this.#cancellers.length === 0) return;
    this.#endSearch(new ChatError('aborted'));
    this.#parts.searchOver();
  }

  async #leave(leaving: Leaving, next: FindPayload | null): Promise<void> {
    const { conversationId } = leaving;
    if (next !== null) this.#asked = next;
    const payload = next === null ? { conversationId } : { conversationId, next };
    const outcome = await this.#parts.request('conversation:leave', payload);
    if (this.#isClosed) return;
    switch (outcome.kind) {
      case 'answered':
        this.#failures = 0;
        this.#depart(leaving);
        if (next !== null && this.#asked === next && outcome.data.next !== null) this.#hold(next, outcome.data.next);
        return;
      case 'unknown':
        leaving.waiter.resolve();
        this.#unanswered();
        return;
      case 'refused': {
        leaving.waiter.resolve();
        const error = ChatError.fromWire(outcome.error);
        // It is the search that does not please: leave without it.
        if (next !== null && (error.retry === 'never' || error.code === 'banned')) this.#nextRefused(next, error);
        else if (error.retry !== 'never') this.#failed(error);
        else this.#depart(leaving);
      }
    }
  }

  #nextRefused(next: FindPayload, error: ChatError): void {
    this.#asked = null;
    if (this.#search !== next) return;
    if (this.#mayProve(error)) {
      void this.#prove();
      return;
    }
    this.#endSearch(error);
    this.#parts.searchOver();
  }

  async #block(leaving: Leaving): Promise<void> {
    const { conversationId } = leaving;
    const outcome = await this.#parts.request('conversation:block', { conversationId });
    if (this.#isClosed) return;
    switch (outcome.kind) {
      case 'answered':
        this.#failures = 0;
        this.#depart(leaving);
        return;
      case 'unknown':
        this.#unanswered();
        return;
      case 'refused': {
        const error = ChatError.fromWire(outcome.error);
        if (error.retry !== 'never') {
          this.#failed(error);
          return;
        }
        leaving.waiter.reject(error);
        this.#depart(leaving);
      }
    }
  }

  /** Told: off the list. */
  #depart(leaving: Leaving): void {
    this.#leavings = this.#leavings.filter((other) => other !== leaving);
    leaving.waiter.resolve();
    this.#parts.departed();
  }

  #hold(find: FindPayload, status: FindReply['status']): void {
    this.#held = find;
    this.#proofs = 0;
    if (status === 'matched') this.#expectMatch();
    if (this.#search === find) this.#answerFinders(null);
  }

  /** The push is on its way; should it not come, a new line's first word settles it. */
  #expectMatch(): void {
    this.#matchDue.start(TIMES.replyTimeoutMs, () => {
      this.#parts.reconnect();
    });
  }

  /** No answer in time: asked again at once, over a new line if the present one seems dead. */
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

  /** Nobody waits for the service's word any more: a search someone wants to cancel is given up without it. */
  #stopWaitingForAnswers(): void {
    this.#answerStoppers();
    for (const { kind, waiter } of this.#leavings) if (kind === 'leave') waiter.resolve();
    if (this.#cancellers.length === 0) return;
    void this.dropSearch();
    this.#answerStoppers();
    this.#parts.searchOver();
  }

  #forgetSearchThere(): void {
    this.#matchDue.stop();
    this.#asked = null;
    this.#held = null;
    this.#mustCancel = false;
    this.#turnsDownMatch = false;
    this.#answerStoppers();
  }

  #endSearch(error: ChatError): void {
    this.#search = null;
    this.#proofs = 0;
    this.#proving?.abort();
    this.#proving = null;
    this.#answerFinders(error);
    this.#answerCancellers('cancelled');
  }

  #answerFinders(error: ChatError | null): void {
    for (const finder of this.#finders.splice(0)) {
      if (error === null) finder.resolve();
      else finder.reject(error);
    }
  }

  #answerCancellers(result: CancelResult): void {
    for (const canceller of this.#cancellers.splice(0)) canceller.resolve(result);
  }

  #answerStoppers(): void {
    for (const resolve of this.#stoppers.splice(0)) resolve();
  }
}

function waiting<Value>(add: (waiter: Waiter<Value>) => void): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    add({ resolve, reject });
  });
}
