import { errorFields, type Log } from '../observability/log.ts';
import type { Clock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { Push } from '../push.ts';
import type { Sessions } from './sessions.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { SessionRef } from '../domain/session.ts';
import { type BanList, banOf, refusalFor } from '../moderation/bans.ts';

/** Shows out who is connected to this node and may no longer be. */
export class AccessRevocation {
  readonly #sites: SiteDirectory;
  readonly #bans: BanList;
  readonly #push: Push;
  readonly #sessions: Sessions;
  readonly #log: Log;
  readonly #clock: Clock;

  constructor(parts: {
    readonly sites: SiteDirectory;
    readonly bans: BanList;
    readonly push: Push;
    readonly sessions: Sessions;
    readonly log: Log;
    readonly clock: Clock;
  }) {
    this.#sites = parts.sites;
    this.#bans = parts.bans;
    this.#push = parts.push;
    this.#sessions = parts.sessions;
    this.#log = parts.log;
    this.#clock = parts.clock;
  }

  /**
   * To be called when a key or a ban has changed. A ban the service gave by itself (`isAutomatic`) waits
   * for the visitor's next search, so that nobody can tell from the moment who reported them.
   */
  revokeAll(): void {
    for (const [session, visitor] of [...this.#push.visitors()]) this.revokeIfLost(session, visitor, true);
  }

  /**
   * To be called once a visitor is let in: what changed while they arrived was changed for nobody yet. Under
   * an automatic ban only who comes back into a conversation may stay, and finish it.
   */
  revokeIfLost(session: SessionRef, visitor: Visitor, isTalking: boolean): void {
    const why = this.#whyNot(session, visitor, isTalking);
    if (why !== null) this.#evict(session, why);
  }

  #whyNot(session: SessionRef, visitor: Visitor, isLetBe: boolean): Refusal | null {
    const site = this.#sites.find(visitor.key);
    const isVouchedFor = visitor.claimKey === null || site?.guard.claimKeys.includes(visitor.claimKey);
    if (site?.id !== session.site || !isVouchedFor) return new Refusal('key_revoked');
    const now = this.#clock();
    const ban = banOf(this.#bans, session.site, visitor, now);
    return ban === null || (ban.isAutomatic && isLetBe) ? null : refusalFor(ban, now);
  }

  #evict(...[session, why]: Parameters<Sessions['evict']>): void {
    this.#sessions.evict(session, why).catch((thrown: unknown) => {
      // The connection is closed; what is left of the session goes after the grace period.
      this.#log.warn({ site: session.site, code: why.code, error: errorFields(thrown) }, 'turning out failed');
    });
  }
}
