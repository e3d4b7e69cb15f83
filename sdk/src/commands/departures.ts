import type { ChatError } from '../errors.ts';
import type { ConversationId } from '../protocol/index.ts';
import type { PersistedDeparture } from '../tabs/persisted-state.ts';
import { Waiters } from '../internal/waiters.ts';

export interface Departure extends PersistedDeparture {
  readonly waiters: Waiters;
}

/** List of conversations to leave or block that the service must still be told of, oldest first. */
export class Departures {
  readonly #changed: () => void;
  #list: readonly Departure[] = [];

  /** `changed` is called when the list that the next page needs has changed. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get first(): Departure | undefined {
    return this.#list[0];
  }

  get kept(): readonly PersistedDeparture[] {
    return this.#list.map(({ kind, conversationId }) => ({ kind, conversationId }));
  }

  has(conversationId: ConversationId): boolean {
    return this.#list.some((departure) => departure.conversationId === conversationId);
  }

  /** Resolves once the service was told; a block rejects with its refusal. */
  add(kind: Departure['kind'], conversationId: ConversationId): Promise<void> {
    const waiters = new Waiters();
    this.#set([...this.#list, { kind, conversationId, waiters }]);
    return waiters.wait();
  }

  restore(kept: readonly PersistedDeparture[]): void {
    this.#list = kept.map((departure) => ({ ...departure, waiters: new Waiters() }));
  }

  /** Removes what the service was told of. */
  told(departure: Departure): void {
    this.#set(this.#list.filter((other) => other !== departure));
    departure.waiters.resolve();
  }

  /** Removes what needs no telling on a new connection: everything in a new session, and leaving what does not run any more. */
  ready(recovered: boolean, running: ConversationId | null): void {
    for (const departure of this.#list) {
      if (!recovered || (departure.kind === 'leave' && departure.conversationId !== running)) this.told(departure);
    }
  }

  /** Resolves whoever waits for a leave, which is told on the next connection. */
  stopWaiting(): void {
    for (const { kind, waiters } of this.#list) if (kind === 'leave') waiters.resolve();
  }

  /** Removes all. With `blockError` blocks reject. */
  clear(blockError?: ChatError): void {
    for (const { kind, waiters } of this.#list) {
      if (kind === 'block' && blockError !== undefined) waiters.reject(blockError);
      else waiters.resolve();
    }
    this.#list = [];
  }

  #set(list: readonly Departure[]): void {
    this.#list = list;
    this.#changed();
  }
}
