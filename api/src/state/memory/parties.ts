import type { ConversationId } from '@passerby/sdk/protocol';
import type { Reported, SessionId } from '../state-store.ts';

/** Who was in which conversation, by what a report needs to know of them; for a while after its end. */
export class Parties {
  readonly #running = new Map<ConversationId, readonly Reported[]>();
  /** Oldest end first. */
  readonly #over = new Map<ConversationId, { readonly sides: readonly Reported[]; readonly endedAt: number }>();

  met(id: ConversationId, sides: readonly Reported[]): void {
    this.#running.set(id, sides);
  }

  ended(id: ConversationId, endedAt: number): void {
    const sides = this.#running.get(id);
    if (sides === undefined) return;
    this.#running.delete(id);
    this.#over.set(id, { sides, endedAt });
  }

  /** The other side, if the session was one of the two and the conversation runs or ended after `since`. */
  peerOf(id: ConversationId, sessionId: SessionId, since: number): Reported | undefined {
    const over = this.#over.get(id);
    const sides = over !== undefined && over.endedAt > since ? over.sides : (this.#running.get(id) ?? []);
    const isOne = sides.some((side) => side.sessionId === sessionId);
    return isOne ? sides.find((side) => side.sessionId !== sessionId) : undefined;
  }

  /** Forgets what ended at or before `since`, Unix milliseconds. */
  forget(since: number): void {
    for (const [id, { endedAt }] of this.#over) {
      if (endedAt > since) return;
      this.#over.delete(id);
    }
  }

  get size(): number {
    return this.#running.size + this.#over.size;
  }
}
