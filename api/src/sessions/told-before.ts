import { TIMES, type ConversationId } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import type { SessionId } from '../domain/ids.ts';

interface Told {
  readonly revision: number;
  /** The conversation they sat in when the connection went; `null` for none. */
  readonly conversationId: ConversationId | null;
  readonly until: number;
}

/**
 * Remembers, for the grace period, what visitors were told whose connection to this node is gone: a store that went
 * back in time must not bring them back to a conversation they were told the end of.
 */
export class ToldBefore {
  readonly #clock: MonotonicClock;
  /** The oldest first. */
  readonly #told = new Map<SessionId, Told>();

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
  }

  /** The connection went; `revision` is the one up to which the visitor was told on it, 0 for nothing. */
  note(sessionId: SessionId, revision: number, conversationId: ConversationId | null): void {
    // Nothing was told on this connection: what is known of the one before still holds.
    if (revision === 0) return;
    this.#told.delete(sessionId);
    this.#told.set(sessionId, { revision, conversationId, until: this.#clock() + TIMES.graceMs });
  }

  /** Returns whether they were told of something later than this conversation's start, and did not sit in it. */
  isOver(sessionId: SessionId, conversationId: ConversationId, startedAt: number): boolean {
    const told = this.#told.get(sessionId);
    return told !== undefined && told.conversationId !== conversationId && startedAt < told.revision;
  }

  /** Forgets those whose time is over. */
  forget(): void {
    const now = this.#clock();
    for (const [sessionId, { until }] of this.#told) {
      if (until > now) return;
      this.#told.delete(sessionId);
    }
  }

  /** Number of visitors remembered. */
  get size(): number {
    return this.#told.size;
  }
}
