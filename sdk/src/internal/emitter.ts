interface Entry<Event> {
  readonly listener: (event: Event) => void;
  isActive: boolean;
}

/**
 * Typed events. Emitting while listeners run queues up, so that every listener sees all events in the
 * order they happened. A listener that throws is reported and disturbs nobody.
 */
export class Emitter<Events> {
  readonly #entries = new Map<keyof Events, Set<Entry<never>>>();
  readonly #queue: (() => void)[] = [];
  #isDispatching = false;
  #isClosed = false;

  /** Returns the undo. The same listener twice is called twice. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    if (this.#isClosed) return () => undefined;
    const entry: Entry<Events[Name]> = { listener, isActive: true };
    const entries = this.#entries.get(name) ?? new Set();
    entries.add(entry);
    this.#entries.set(name, entries);
    return () => {
      entry.isActive = false;
      entries.delete(entry);
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    if (this.#isClosed) return;
    this.#queue.push(() => {
      for (const entry of [...(this.#entries.get(name) ?? [])] as Entry<Events[Name]>[]) {
        if (entry.isActive) callSafely(entry.listener, event);
      }
    });
    if (!this.#isDispatching) this.#dispatch();
  }

  /** Emits all that `emitting` emits before anything that listeners emit. */
  inTransaction(emitting: () => void): void {
    if (this.#isDispatching) {
      emitting();
      return;
    }
    this.#isDispatching = true;
    try {
      emitting();
    } finally {
      this.#dispatch();
    }
  }

  /** Closes the emitter: events emitted before still arrive, none after it do. */
  close(): void {
    this.#isClosed = true;
    if (!this.#isDispatching) this.#entries.clear();
  }

  #dispatch(): void {
    this.#isDispatching = true;
    for (let deliver = this.#queue.shift(); deliver; deliver = this.#queue.shift()) deliver();
    this.#isDispatching = false;
    if (this.#isClosed) this.#entries.clear();
  }
}

/** Calls a listener of the page; what it throws goes where uncaught errors go, never to our caller. */
export function callSafely<Event>(listener: (event: Event) => void, event: Event): void {
  try {
    listener(event);
  } catch (error) {
    if (typeof reportError === 'function') reportError(error);
    else
      queueMicrotask(() => {
        throw error;
      });
  }
}
