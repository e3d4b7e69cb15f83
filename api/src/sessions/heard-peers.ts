import { TIMES, type ConversationId } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import type { SessionId } from '../domain/ids.ts';

/** Maximum number of visitors remembered; beyond that the one who left longest ago is forgotten. About 8 MB. */
const REMEMBERED_MAX = 50_000;

/**
 * Remembers which visitors of this node were handed something their peer said, for as long after they left the conversation
 * as they may report it. It knows that something was said, never what.
 */
export class HeardPeers {
  readonly #clock: MonotonicClock;
  readonly #max: number;
  /** Time at which each left, least recently first. */
  readonly #leftAt = new Map<string, number>();

  constructor(clock: MonotonicClock, max = REMEMBERED_MAX) {
    this.#clock = clock;
    this.#max = max;
  }

  /** The visitor leaves a conversation, or this node, having heard the peer. */
  remember(sessionId: SessionId, conversationId: ConversationId): void {
    const now = this.#clock();
    const key = keyOf(sessionId, conversationId);
    this.#leftAt.delete(key);
    this.#leftAt.set(key, now);
    for (const [other, leftAt] of this.#leftAt) {
      if (this.#leftAt.size <= this.#max && leftAt + TIMES.reportMs > now) break;
      this.#leftAt.delete(other);
    }
  }

  has(sessionId: SessionId, conversationId: ConversationId): boolean {
    const leftAt = this.#leftAt.get(keyOf(sessionId, conversationId));
    return leftAt !== undefined && leftAt + TIMES.reportMs > this.#clock();
  }

  /** Number of visitors remembered. */
  get size(): number {
    return this.#leftAt.size;
  }
}

const keyOf = (sessionId: SessionId, conversationId: ConversationId) => `${sessionId} ${conversationId}`;
