import { ChatError } from '../errors.ts';
import { monotonicNow } from '../internal/clock.ts';
import type { RequestName, RequestPayload, RequestReply } from '../protocol/index.ts';
import type { RequestOutcome } from '../connection/transport.ts';

/** Maximum number of tries of a request that goes unanswered on a live connection. */
const TRIES = 3;

export interface RequestRetrierParts {
  readonly isReady: () => boolean;
  readonly request: <Name extends RequestName>(
    name: Name,
    payload: RequestPayload<Name>,
  ) => Promise<RequestOutcome<Name>>;
}

interface PendingRequest {
  readonly name: RequestName;
  readonly payload: never;
  /** As `monotonicNow` tells it. */
  readonly until: number;
  readonly resolve: (reply: never) => void;
  readonly reject: (error: ChatError) => void;
  isUnderWay: boolean;
  unanswered: number;
}

/**
 * Requests that may be asked twice and need no order among themselves: each is asked, after a new
 * connection again, until the service has answered it.
 */
export class RequestRetrier {
  readonly #parts: RequestRetrierParts;
  readonly #open = new Set<PendingRequest>();

  constructor(parts: RequestRetrierParts) {
    this.#parts = parts;
  }

  /** Rejects with the service's refusal, with `timeout` if it never answers or `withinMs` is over before it is asked. */
  ask<Name extends RequestName>(
    name: Name,
    payload: RequestPayload<Name>,
    { withinMs = Infinity } = {},
  ): Promise<RequestReply<Name>> {
    return new Promise((resolve, reject) => {
      const pending: PendingRequest = {
        name,
        payload: payload as never,
        until: monotonicNow() + withinMs,
        resolve,
        reject,
        isUnderWay: false,
        unanswered: 0,
      };
      this.#open.add(pending);
      void this.#run(pending);
    });
  }

  /** There is a connection again: open requests are sent once more. */
  ready(): void {
    for (const pending of this.#open) void this.#run(pending);
  }

  /** Nothing can be told any more. */
  refused(error: ChatError): void {
    for (const pending of this.#open) this.#settle(pending, () => pending.reject(error));
  }

  async #run(pending: PendingRequest): Promise<void> {
    if (pending.isUnderWay) return;
    while (this.#open.has(pending) && this.#parts.isReady()) {
      if (monotonicNow() > pending.until || pending.unanswered === TRIES) {
        this.#settle(pending, () => pending.reject(new ChatError('timeout')));
        return;
      }
      pending.isUnderWay = true;
      const outcome = await this.#parts.request(pending.name, pending.payload);
      pending.isUnderWay = false;
      if (outcome.kind === 'answered') this.#settle(pending, () => pending.resolve(outcome.data as never));
      else if (outcome.kind === 'refused')
        this.#settle(pending, () => pending.reject(ChatError.fromWire(outcome.error)));
      else if (this.#parts.isReady()) pending.unanswered += 1;
    }
  }

  #settle(pending: PendingRequest, tell: () => void): void {
    if (this.#open.delete(pending)) tell();
  }
}
