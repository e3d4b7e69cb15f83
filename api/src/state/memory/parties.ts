import type { ConversationId } from '@passerby/sdk/protocol';
import type { SessionId } from '../../domain/ids.ts';
import type { VisitorFingerprint } from '../../domain/visitor-fingerprint.ts';
import type { Reported } from '../state-store.ts';

/** One side of a conversation. */
interface Side {
  readonly sessionId: SessionId;
  /** Fingerprint when the two met. */
  readonly fingerprint: VisitorFingerprint;
  /** Fingerprint when last seen. */
  latestFingerprint: VisitorFingerprint;
}

interface Party {
  readonly sides: readonly Side[];
  isConfirmed: boolean;
}

/** Parties of conversations, as a report needs to know them; for a while after the end. */
export class Parties {
  readonly #running = new Map<ConversationId, Party>();
  /** Oldest end first. */
  readonly #over = new Map<ConversationId, { readonly party: Party; readonly endedAt: number }>();

  met(
    id: ConversationId,
    sides: readonly { readonly sessionId: SessionId; readonly fingerprint: VisitorFingerprint }[],
  ): void {
    this.#running.set(id, {
      sides: sides.map(({ sessionId, fingerprint }) => ({ sessionId, fingerprint, latestFingerprint: fingerprint })),
      isConfirmed: false,
    });
  }

  /** Both sides have the match. */
  confirmed(id: ConversationId): void {
    const party = this.#running.get(id);
    if (party !== undefined) party.isConfirmed = true;
  }

  /** One of the two came back, maybe from elsewhere. */
  moved(id: ConversationId, sessionId: SessionId, fingerprint: VisitorFingerprint): void {
    const side = this.#running.get(id)?.sides.find((one) => one.sessionId === sessionId);
    if (side !== undefined) side.latestFingerprint = fingerprint;
  }

  ended(id: ConversationId, endedAt: number): void {
    const party = this.#running.get(id);
    if (party === undefined) return;
    this.#running.delete(id);
    this.#over.set(id, { party, endedAt });
  }

  /** Both sides, if the session was one of the two and the conversation runs or ended after `since`. */
  reportedBy(sessionId: SessionId, id: ConversationId, since: number): Reported | undefined {
    const over = this.#over.get(id);
    const party = over !== undefined && over.endedAt > since ? over.party : this.#running.get(id);
    if (party === undefined) return undefined;
    const own = party.sides.find((side) => side.sessionId === sessionId);
    const peer = party.sides.find((side) => side.sessionId !== sessionId);
    if (own === undefined || peer === undefined) return undefined;
    return { peer: peer.latestFingerprint, own: own.fingerprint, isConfirmed: party.isConfirmed };
  }

  /** Forgets what ended at or before `since`, Unix milliseconds. */
  forget(since: number): void {
    for (const [id, { endedAt }] of this.#over) {
      if (endedAt > since) return;
      this.#over.delete(id);
    }
  }
}
