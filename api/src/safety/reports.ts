import type { RequestPayload, RequestReply } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { NewReport } from '../records/reports.ts';
import type { SessionRef, StateStore } from '../state/state-store.ts';
import type { CoolDowns } from './cool-downs.ts';

/** Where reports are kept. */
export interface ReportBook {
  /** One a conversation and reporter: adding again changes nothing. */
  add(report: NewReport): Promise<{ readonly isNew: boolean }>;
}

/** Takes what visitors have to say about each other. Nobody but the operators learns of it. */
export class Reports {
  readonly #store: StateStore;
  readonly #sites: SiteDirectory;
  readonly #book: ReportBook;
  readonly #coolDowns: CoolDowns;
  readonly #clock: Clock;

  constructor(parts: {
    readonly store: StateStore;
    readonly sites: SiteDirectory;
    readonly book: ReportBook;
    readonly coolDowns: CoolDowns;
    readonly clock: Clock;
  }) {
    this.#store = parts.store;
    this.#sites = parts.sites;
    this.#book = parts.book;
    this.#coolDowns = parts.coolDowns;
    this.#clock = parts.clock;
  }

  async report(
    session: SessionRef,
    { conversationId, reason, comment, messages }: RequestPayload<'conversation:report'>,
  ): Promise<RequestReply<'conversation:report'>> {
    const { peer, own } = await this.#store.reported(session, conversationId);
    const isHistoryKept = this.#sites.byId(session.site)?.policy.history === 'reports';
    const { isNew } = await this.#book.add({
      site: session.site,
      conversationId,
      reason,
      comment: comment === undefined || comment === '' ? null : comment,
      messages: isHistoryKept && messages !== undefined ? messages : null,
      reporter: own.address,
      reportedAddress: peer.address,
      reportedBanId: peer.banId,
      createdAt: this.#clock(),
    });
    if (isNew) await this.#coolDowns.reported(session.site, peer.address);
    return { status: 'reported' };
  }
}
