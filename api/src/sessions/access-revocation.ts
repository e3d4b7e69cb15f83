import { errorFields, type Log } from '../observability/log.ts';
import type { Clock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { LocalSession, LocalSessions } from './local-sessions.ts';
import type { Sessions } from './sessions.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import { type BanList, banOf, refusalFor } from '../moderation/bans.ts';

/** Evicts visitors who are connected to this node and have lost access. */
export class AccessRevocation {
  readonly #sites: SiteDirectory;
  readonly #bans: BanList;
  readonly #local: LocalSessions;
  readonly #sessions: Pick<Sessions, 'evict'>;
  readonly #log: Log;
  readonly #clock: Clock;

  constructor(parts: {
    readonly sites: SiteDirectory;
    readonly bans: BanList;
    readonly local: LocalSessions;
    readonly sessions: Pick<Sessions, 'evict'>;
    readonly log: Log;
    readonly clock: Clock;
  }) {
    this.#sites = parts.sites;
    this.#bans = parts.bans;
    this.#local = parts.local;
    this.#sessions = parts.sessions;
    this.#log = parts.log;
    this.#clock = parts.clock;
  }

  /**
   * Applies a change of keys or bans. A ban the service gave by itself (`isAutomatic`) waits for the visitor's next
   * search, so that nobody can tell from the moment who reported them.
   */
  revokeAll(): void {
    for (const session of [...this.#local.all()]) this.#revokeIfLost(session, true);
  }

  /**
   * Applies to a visitor who just arrived what changed meanwhile, and was applied to nobody yet. Under an automatic ban
   * only a visitor who resumed a conversation may stay, and finish it.
   */
  revokeArrived(session: LocalSession): void {
    if (!this.#local.has(session)) return;
    this.#revokeIfLost(session, session.seating !== null);
  }

  #revokeIfLost(session: LocalSession, isLetBe: boolean): void {
    const why = this.#whyNot(session, isLetBe);
    if (why === null) return;
    this.#sessions.evict(session, why).catch((thrown: unknown) => {
      // The connection is closed; what is left of the session goes after the grace period.
      this.#log.warn({ site: session.ref.site, code: why.code, error: errorFields(thrown) }, 'eviction failed');
    });
  }

  #whyNot({ ref, visitor }: LocalSession, isLetBe: boolean): Refusal | null {
    const site = this.#sites.find(visitor.key);
    const isVouchedFor = visitor.claimKey === null || site?.guard.claimKeys.includes(visitor.claimKey);
    if (site?.id !== ref.site || !isVouchedFor) return new Refusal('key_revoked');
    const now = this.#clock();
    const ban = banOf(this.#bans, ref.site, visitor, now);
    return ban === null || (ban.isAutomatic && isLetBe) ? null : refusalFor(ban, now);
  }
}
