import type { RequestReply } from '@passerby/sdk/protocol';
import type { StateStore } from '../state/state-store.ts';
import type { MatchRules } from '../matching/rules.ts';
import type { Ticket } from '../matching/ticket.ts';
import type { LocalSession } from './local-sessions.ts';
import type { NoticeDispatcher } from './notice-dispatcher.ts';
import type { WaitStatusNotifier } from './wait-status.ts';

/** Starts and cancels searches. */
export class Matchmaker {
  readonly #store: Pick<StateStore, 'find' | 'cancel'>;
  readonly #waits: WaitStatusNotifier;
  readonly #dispatcher: Pick<NoticeDispatcher, 'dispatch'>;

  constructor(parts: {
    readonly store: Pick<StateStore, 'find' | 'cancel'>;
    readonly waits: WaitStatusNotifier;
    readonly dispatcher: Pick<NoticeDispatcher, 'dispatch'>;
  }) {
    this.#store = parts.store;
    this.#waits = parts.waits;
    this.#dispatcher = parts.dispatcher;
  }

  async find(session: LocalSession, ticket: Ticket, rules: MatchRules): Promise<RequestReply<'match:find'>> {
    const outcome = await this.#store.find(session.ref, ticket, rules);
    this.#dispatcher.dispatch(outcome.notices);
    // Another node's match may have been told before this answer came.
    if (outcome.status === 'waiting' && session.seating === null) this.#waits.follow(session);
    return { status: outcome.status };
  }

  async cancel(session: LocalSession): Promise<RequestReply<'match:cancel'>> {
    const outcome = await this.#store.cancel(session.ref);
    if (outcome.status === 'cancelled') {
      this.#waits.unfollow(session);
      session.noteTold(outcome.revision);
    }
    this.#dispatcher.dispatch(outcome.notices);
    return { status: outcome.status };
  }
}
