import { ChatError } from '../errors.ts';
import { assertNever } from '../internal/assert-never.ts';
import { Timer } from '../internal/timer.ts';
import { Waiters } from '../internal/waiters.ts';
import { type FindPayload, type FindReply, TIMES } from '../protocol/index.ts';

/** Maximum number of proofs of work in a row that bring no search. */
const PROOFS_MAX = 3;

export type CancelResult = 'cancelled' | 'already_matched';

/** Search of the visitor, and how far the service has it. `before` is the search that it is known to have until then. */
export type Going =
  /** To be asked for. The service has no search. */
  | { readonly kind: 'wanted'; readonly find: FindPayload }
  /** Asked for, or to be asked for instead of another one. The service may have it. */
  | { readonly kind: 'asked'; readonly find: FindPayload; readonly before: FindPayload | null }
  | { readonly kind: 'held'; readonly find: FindPayload }
  /** To be asked for once a proof of work is computed. */
  | {
      readonly kind: 'proving';
      readonly find: FindPayload;
      readonly before: FindPayload | null;
      readonly stop: AbortController;
    };

/**
 * State of the search.
 *
 * ```
 * none ──▶ going: wanted ──▶ asked ──▶ held ──▶ none, by a match
 *                    ▲        │ ▲        │
 *                    └ proving┘ └────────┘ for something else
 *
 *  going ──cancel──▶ cancelling ──▶ none, or going if the match came first
 *        ──drop────▶ abandoned ──▶ none, or going with the next one; match_due if the match came first
 * ```
 */
export type SearchState =
  | { readonly kind: 'none'; readonly going: null }
  | { readonly kind: 'going'; readonly going: Going }
  /** The visitor asked to cancel; the search goes on until the service agrees. */
  | { readonly kind: 'cancelling'; readonly going: Going }
  /** Given up, and still to be cancelled: a match of it is turned down. `going` is looked for after it. */
  | { readonly kind: 'abandoned'; readonly going: Going | null }
  /** Given up too late: its match is announced, and will be turned down. `going` is looked for after it. */
  | { readonly kind: 'match_due'; readonly going: Going | null };

const NONE: SearchState = { kind: 'none', going: null };

function isKnownThere(going: Going): boolean {
  return going.kind === 'proving' ? going.before !== null : going.kind !== 'wanted';
}

/** Asks for `find` in place of the search that the service has, if any. */
function askFor(find: FindPayload, before: FindPayload | null): Going {
  return before === null ? { kind: 'wanted', find } : { kind: 'asked', find, before };
}

/** Returns the state with `find` looked for, whatever was looked for before. */
export function searchingFor({ kind, going }: SearchState, find: FindPayload): SearchState {
  const next: Going = going?.kind === 'held' ? askFor(find, going.find) : { kind: 'wanted', ...going, find };
  return kind === 'abandoned' || kind === 'match_due' ? { kind, going: next } : { kind: 'going', going: next };
}

/** Returns the state once the service is known to have no search. */
export function goneThere({ going }: SearchState): SearchState {
  if (going === null) return NONE;
  const { find } = going;
  return { kind: 'going', going: going.kind === 'proving' ? { ...going, before: null } : { kind: 'wanted', find } };
}

/**
 * Returns the state once the service says that it has a search. Asking again with the same id is the same wait, so which one
 * does not matter: this one stands for it.
 */
export function waitingThere({ kind, going }: SearchState): SearchState {
  if (kind === 'none' || kind === 'abandoned' || going === null) return { kind: 'abandoned', going };
  const { find } = going;
  return { kind, going: going.kind === 'proving' ? { ...going, before: find } : { kind: 'asked', find, before: find } };
}

export interface SearchParts {
  /** Called when the search ends without a match: it was cancelled, or refused. */
  readonly over: () => void;
  /** Called when the push of an announced match does not come. */
  readonly matchOverdue: () => void;
}

/** The visitor's search: its state, and who waits for a change of it. Sends nothing: `step` says what is to be sent. */
export class Search {
  readonly #parts: SearchParts;
  /** Runs while a match was announced in a reply, and its push must come. */
  readonly #matchDue = new Timer();
  #state = NONE;
  /** Wait for the search to be held. */
  readonly #finders = new Waiters();
  readonly #cancellers = new Waiters<CancelResult>();
  /** Wait for an abandoned search to be cancelled. */
  readonly #droppers = new Waiters();
  /** Proofs in a row that brought no search. */
  #proofs = 0;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  get state(): SearchState {
    return this.#state;
  }

  get isSearching(): boolean {
    return this.#state.going !== null;
  }

  /** Returns whether a match is wanted, and not one of a search given up. */
  get isMatchWanted(): boolean {
    return this.#state.kind === 'going' || this.#state.kind === 'cancelling';
  }

  /** Returns whether somebody waits to hear what became of the search. */
  get isAwaited(): boolean {
    return !this.#finders.isEmpty;
  }

  /** Next request to the service: `find` this, or `cancel`; `null` for nothing. */
  get step(): FindPayload | 'cancel' | null {
    const { kind, going } = this.#state;
    switch (kind) {
      case 'cancelling':
      case 'abandoned':
        return 'cancel';
      case 'none':
      case 'going':
      case 'match_due':
        return going?.kind === 'wanted' || going?.kind === 'asked' ? going.find : null;
      default:
        return assertNever(kind);
    }
  }

  /** Looks for this from now on. Resolves once the service has it, or a match came first. */
  start(find: FindPayload): Promise<void> {
    this.#state = searchingFor(this.#state, find);
    this.#cancellers.resolve('cancelled');
    return this.#finders.wait();
  }

  /** The service has this search, and looks again by itself. */
  goOnWith(find: FindPayload): void {
    this.#state = { kind: 'going', going: { kind: 'held', find } };
  }

  /** Asks to give the search up. */
  cancel(): Promise<CancelResult> {
    const { kind, going } = this.#state;
    const result = this.#cancellers.wait();
    if (kind === 'going') this.#state = { kind: 'cancelling', going };
    else if (kind !== 'cancelling') this.#end(new ChatError('aborted'), going !== null && isKnownThere(going));
    return result;
  }

  /** Ends a search that is to be cancelled, and that the service does not know of. Returns whether there was one. */
  endUnknown(): boolean {
    const { kind, going } = this.#state;
    if (kind !== 'cancelling' || isKnownThere(going)) return false;
    this.#end(new ChatError('aborted'));
    return true;
  }

  /** Gives the search up, whatever the service says. Returns whether the service must be told. */
  drop(): boolean {
    const { kind, going } = this.#state;
    const isKnown = kind === 'abandoned' || kind === 'match_due' || (going !== null && isKnownThere(going));
    this.#giveUp(new ChatError('aborted'), isKnown);
    return isKnown;
  }

  /** Resolves once a search that was dropped is cancelled, or cannot be. */
  whenDropped(): Promise<void> {
    return this.#droppers.wait();
  }

  /** The service is being asked for this, the next step. */
  asked(find: FindPayload): void {
    if (this.#state.going?.kind === 'wanted') this.#goOn({ kind: 'asked', find, before: null });
  }

  /** Returns whether an answer to what was asked matters: nothing has settled meanwhile what the service has. */
  get isAnswerDue(): boolean {
    const { kind, going } = this.#state;
    return kind === 'abandoned' || kind === 'match_due' || going?.kind === 'asked';
  }

  /** The service has this. */
  answered(find: FindPayload, status: FindReply['status']): void {
    if (!this.isAnswerDue) return;
    const { going } = this.#state;
    this.#proofs = 0;
    if (status === 'matched') this.#expectMatch();
    if (going?.kind !== 'asked') return;
    const isThis = going.find === find;
    this.#goOn(isThis ? { kind: 'held', find } : askFor(going.find, find));
    if (isThis) this.#finders.resolve();
  }

  /** The service refused this. `isUncertain`: it may have taken it at an earlier try. */
  refused(find: FindPayload, error: ChatError, isUncertain: boolean): void {
    const { going } = this.#state;
    if (going?.kind !== 'asked') return;
    const { before } = going;
    if (going.find !== find) {
      this.#goOn(askFor(going.find, before));
    } else if (before === null || before === find) {
      this.#end(error, isUncertain || before !== null);
    } else {
      // The search before this one goes on.
      this.#goOn({ kind: 'held', find: before });
      this.#finders.reject(error);
    }
  }

  /**
   * The service wants a proof of work before it searches. Returns what stops it; `null` if none is to be computed.
   * `isUncertain`: it may have taken the search at an earlier try.
   */
  startProof(isUncertain = false): AbortController | null {
    const { going } = this.#state;
    if (going?.kind !== 'asked' || this.#proofs >= PROOFS_MAX) return null;
    this.#proofs += 1;
    const stop = new AbortController();
    const { find } = going;
    this.#goOn({ kind: 'proving', find, before: going.before ?? (isUncertain ? find : null), stop });
    return stop;
  }

  /** A proof was handed in, or failed. */
  proofDone(stop: AbortController, failure: ChatError | null): void {
    const { going } = this.#state;
    if (going?.kind !== 'proving' || going.stop !== stop) return;
    if (failure === null) this.#goOn(askFor(going.find, going.before));
    else this.#end(failure, isKnownThere(going));
  }

  cancelAnswered(result: CancelResult): void {
    const { kind, going } = this.#state;
    this.#droppers.resolve();
    if (result === 'cancelled') {
      this.#matchDue.stop();
      if (kind === 'cancelling') this.#end(new ChatError('aborted'));
      else this.#state = goneThere(this.#state);
      return;
    }
    if (kind === 'cancelling') this.#state = { kind: 'going', going };
    if (kind === 'abandoned') this.#state = { kind: 'match_due', going };
    this.#cancellers.resolve(result);
    if (this.isAnswerDue || going?.kind === 'held') this.#expectMatch();
  }

  /** No answer is waited for any more: a search that someone wants to cancel is given up without it. */
  stopWaiting(): void {
    this.#droppers.resolve();
    const { kind, going } = this.#state;
    if (kind === 'cancelling') this.#end(new ChatError('aborted'), isKnownThere(going));
  }

  /** The service is known to have no search: it ended it, or cannot be told. */
  gone(): void {
    this.#matchDue.stop();
    this.#droppers.resolve();
    this.#state = goneThere(this.#state);
  }

  /** The wanted conversation started. */
  matched(): void {
    this.#stopProof();
    this.gone();
    this.#state = NONE;
    this.#finders.resolve();
    this.#cancellers.resolve('already_matched');
  }

  /** A new connection says where the session stands. */
  ready(status: 'waiting' | 'chatting' | 'idle'): void {
    const { kind, going } = this.#state;
    const isGivenUp = kind === 'abandoned' || kind === 'match_due';
    if (status !== 'waiting') this.gone();
    else {
      this.#matchDue.stop();
      this.#state = waitingThere(this.#state);
    }
    // The conversation is that of the search given up.
    if (status === 'chatting' && isGivenUp) this.#state = { kind: 'match_due', going };
  }

  lost(): void {
    this.#matchDue.stop();
    this.stopWaiting();
  }

  /** Nothing can be told any more. */
  stop(error: ChatError): void {
    this.#giveUp(error);
    this.gone();
  }

  #goOn(going: Going): void {
    const kind = this.#state.kind === 'none' ? 'going' : this.#state.kind;
    this.#state = { kind, going };
  }

  /** Waits for the push of a match; should it not come, the first push of a new connection settles it. */
  #expectMatch(): void {
    this.#matchDue.start(TIMES.replyTimeoutMs, this.#parts.matchOverdue);
  }

  #end(error: ChatError, isKnown = false): void {
    this.#giveUp(error, isKnown);
    this.#parts.over();
  }

  /** Looks for nothing any more. `isKnown`: the service may have the search. */
  #giveUp(error: ChatError, isKnown = false): void {
    const { kind } = this.#state;
    this.#stopProof();
    this.#proofs = 0;
    if (isKnown || kind === 'abandoned') this.#state = { kind: 'abandoned', going: null };
    else this.#state = kind === 'match_due' ? { kind, going: null } : NONE;
    this.#finders.reject(error);
    this.#cancellers.resolve('cancelled');
  }

  #stopProof(): void {
    const { going } = this.#state;
    if (going?.kind === 'proving') going.stop.abort();
  }
}
