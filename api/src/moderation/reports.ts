import type { ConversationId, RequestPayload, RequestReply } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import type { NewReport } from '../records/reports.ts';
import { networkOf } from '../domain/visitor-fingerprint.ts';
import type { SessionId } from '../domain/ids.ts';
import type { SessionRef } from '../domain/session.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AutoBans } from './auto-bans.ts';

/** Repository of reports. */
export interface ReportRepository {
  /** Adds a report. One per conversation and reporter: adding again changes nothing. */
  add(report: NewReport): Promise<{ readonly isNew: boolean }>;
}

/** Reports whether a message of the peer was delivered to a visitor of this node. */
export interface Hearing {
  hasHeardPeer(sessionId: SessionId, conversationId: ConversationId): boolean;
}

/** Accepts visitors' reports about each other. Only operators see them. */
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
   * Stores every report for the operators. It counts towards an automatic ban only if both visitors had confirmed the
   * match and the reported one said something, so that a match alone is not enough to harm somebody. Messages are
   * stored if `isHistoryKept`.
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
