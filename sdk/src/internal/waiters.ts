import { ChatError } from '../errors.ts';

interface Waiter<Value> {
  resolve(value: Value): void;
  reject(error: ChatError): void;
}

/** Callers that wait for one thing, each by a promise, and are answered together. */
export class Waiters<Value = void> {
  #waiting: readonly Waiter<Value>[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Waits for the answer. Rejects with `aborted` once `signal` is, and waits no longer. */
  async wait(signal?: AbortSignal): Promise<Value> {
    let abort = (): void => undefined;
    const answer = new Promise<Value>((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiting = [...this.#waiting, waiter];
      abort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(new ChatError('aborted'));
      };
    });
    signal?.addEventListener('abort', abort);
    try {
      return await answer;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  resolve(value: Value): void {
    for (const waiter of this.#take()) waiter.resolve(value);
  }

  reject(error: ChatError): void {
    for (const waiter of this.#take()) waiter.reject(error);
  }

  #take(): readonly Waiter<Value>[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
