import type { ConversationId, FindPayload, RequestReply } from '@passerby/sdk/protocol';
import { ticketFrom } from '../match/ticket.ts';
import type { Push } from '../push.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { Notice, SessionRef, StateStore } from '../state/state-store.ts';
import type { Relay } from './relay.ts';

/** Starts and ends of conversations: what the store decided reaches the relay and both visitors, by the same path. */
export class Lifecycle {
  readonly #store: StateStore;
  readonly #relay: Relay;
  readonly #push: Push;
  readonly #sites: SiteDirectory;

  constructor(store: StateStore, relay: Relay, push: Push, sites: SiteDirectory) {
    this.#store = store;
    this.#relay = relay;
    this.#push = push;
    this.#sites = sites;
  }

  async leave(
    session: SessionRef,
    conversationId: ConversationId,
    next: FindPayload | undefined,
  ): Promise<RequestReply<'conversation:leave'>> {
    const outcome = await this.#store.leave(session, conversationId, next === undefined ? null : ticketFrom(next));
    this.tell(outcome.notices);
    return { status: 'left', next: outcome.next };
  }

  async block(session: SessionRef, conversationId: ConversationId): Promise<RequestReply<'conversation:block'>> {
    this.tell((await this.#store.block(session, conversationId)).notices);
    return { status: 'blocked' };
  }

  /** Ends conversations in which nobody said anything for too long. */
  async endSilent(): Promise<void> {
    for (const { conversationId, peer } of this.#relay.silent()) {
      this.tell((await this.#store.end(peer.site, conversationId, 'idle')).notices);
    }
  }

  /** Carries out what a transition of the store means for visitors. */
  tell(notices: readonly Notice[]): void {
    for (const notice of notices) this.#tell(notice);
  }

  #tell(notice: Notice): void {
    const { sessionId, site } = notice.to;
    switch (notice.kind) {
      case 'started': {
        const policy = this.#sites.find(site)?.policy;
        if (policy === undefined) return;
        const { peer: _, ...conversation } = notice.seat;
        this.#relay.seat(sessionId, notice.seat, policy.inactivityMs);
        this.#push.toSession(sessionId, 'conversation:started', { ...conversation, policy });
        return;
      }
      case 'ended': {
        const { conversationId, reason } = notice;
        if (this.#relay.seatOf(sessionId)?.conversationId === conversationId) this.#relay.unseat(sessionId);
        this.#push.toSession(sessionId, 'conversation:ended', { conversationId, reason });
        return;
      }
      case 'presence': {
        const { conversationId, presence, peer } = notice;
        if (this.#relay.seatOf(sessionId)?.conversationId !== conversationId) return;
        this.#relay.setPeer(sessionId, peer, presence === 'away');
        this.#push.toSession(sessionId, 'conversation:peer', { conversationId, presence });
        return;
      }
    }
  }
}
