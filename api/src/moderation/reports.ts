import type { ConversationId, RequestPayload, RequestReply } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import type { NewReport } from '../records/reports.ts';
import { networkOf } from '../domain/visitor-fingerprint.ts';
import type { SessionId } from '../domain/ids.ts';
import type { SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AutoBans } from './auto-bans.ts';

/** Where reports are kept. */
export interface ReportRepository {
  /** One a conversation and reporter: adding again changes nothing. */
  add(report: NewReport): Promise<{ readonly isNew: boolean }>;
}

/** Knows whether something the peer said was handed to a visitor of this node. */
export interface Hearing {
  hasHeardPeer(sessionId: SessionId, conversationId: ConversationId): boolean;
}

/** Takes what visitors have to say about each other. Nobody but the operators learns of it. */
export class Reports {
  readonly #store: StateStore;
  readonly #hearing: Hearing;
  readonly #repository: ReportRepository;
  readonly #autoBans: AutoBans;
  readonly #clock: Clock;

  constructor(parts: {
    readonly store: StateStore;
    readonly hearing: Hearing;
    readonly repository: ReportRepository;
    readonly autoBans: AutoBans;
    readonly clock: Clock;
  }) {
    this.#store = parts.store;
    this.#hearing = parts.hearing;
    this.#repository = parts.repository;
    this.#autoBans = parts.autoBans;
    this.#clock = parts.clock;
  }

  /**
   * Every report is kept for the operators. It counts towards an automatic ban only if both sides had confirmed the match and
   * the reported one said something, so that meeting somebody is not enough to harm them. Messages are kept if
   * `isHistoryKept`.
   */
  async report(
    session: SessionRef,
    { conversationId, reason, comment, messages }: RequestPayload<'conversation:report'>,
    isHistoryKept: boolean,
  ): Promise<RequestReply<'conversation:report'>> {
    const { peer, own, isConfirmed } = await this.#store.reported(session, conversationId);
    const counts = isConfirmed && this.#hearing.hasHeardPeer(session.sessionId, conversationId);
    const { isNew } = await this.#repository.add({
      site: session.site,
      conversationId,
      reason,
      comment: comment === undefined || comment === '' ? null : comment,
      messages: isHistoryKept && messages !== undefined ? messages : null,
      reporter: own.address,
      reportedAddress: peer.address,
      reportedBanId: peer.banId,
      reporterNetwork: networkOf(own),
      reportedNetworks: peer.wider,
      counts,
      createdAt: this.#clock(),
    });
    if (isNew && counts) await this.#autoBans.reported(session.site, [peer.address, ...peer.wider]);
    return { status: 'reported' };
  }
}
