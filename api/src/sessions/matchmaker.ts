import type { RequestReply } from '@passerby/sdk/protocol';
import type { SessionId } from '../domain/ids.ts';
import type { Notice } from '../domain/notice.ts';
import type { SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import type { MatchRules } from '../matching/rules.ts';
import type { Ticket } from '../matching/ticket.ts';
import type { WaitStatusNotifier } from './wait-status.ts';

/** Looking for someone, and no longer looking. */
export class Matchmaker {
  readonly #store: StateStore;
  readonly #waits: WaitStatusNotifier;
  readonly #tell: (notices: readonly Notice[]) => void;
  readonly #isSeated: (sessionId: SessionId) => boolean;
  readonly #noteTold: (sessionId: SessionId, revision: number) => void;

  constructor(
    store: StateStore,
    waits: WaitStatusNotifier,
    tell: (notices: readonly Notice[]) => void,
    isSeated: (sessionId: SessionId) => boolean,
    noteTold: (sessionId: SessionId, revision: number) => void,
  ) {
    this.#store = store;
    this.#waits = waits;
    this.#tell = tell;
    this.#isSeated = isSeated;
    this.#noteTold = noteTold;
  }

  async find(session: SessionRef, ticket: Ticket, rules: MatchRules): Promise<RequestReply<'match:find'>> {
    const outcome = await this.#store.find(session, ticket, rules);
    this.#tell(outcome.notices);
    // Another node's match may have been told before this answer came.
    if (outcome.status === 'waiting' && !this.#isSeated(session.sessionId)) this.#waits.follow(session.sessionId);
    return { status: outcome.status };
  }

  async cancel(session: SessionRef): Promise<RequestReply<'match:cancel'>> {
    const outcome = await this.#store.cancel(session);
    if (outcome.status === 'cancelled') {
      this.#waits.unfollow(session.sessionId);
      this.#noteTold(session.sessionId, outcome.revision);
    }
    this.#tell(outcome.notices);
    return { status: outcome.status };
  }
}
