import type { FindPayload, RequestReply } from '@passerby/sdk/protocol';
import type { Notice, SessionRef, StateStore } from '../state/state-store.ts';
import { ticketFrom } from './ticket.ts';

/** Looking for someone, and no longer looking. */
export class Matchmaker {
  readonly #store: StateStore;
  readonly #tell: (notices: readonly Notice[]) => void;

  constructor(store: StateStore, tell: (notices: readonly Notice[]) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  async find(session: SessionRef, payload: FindPayload): Promise<RequestReply<'match:find'>> {
    const outcome = await this.#store.find(session, ticketFrom(payload));
    this.#tell(outcome.notices);
    return { status: outcome.status };
  }

  async cancel(session: SessionRef): Promise<RequestReply<'match:cancel'>> {
    const outcome = await this.#store.cancel(session);
    this.#tell(outcome.notices);
    return { status: outcome.status };
  }
}
