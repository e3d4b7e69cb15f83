import type { Clock, MonotonicClock } from '../clock.ts';
import type { SiteId } from '../domain/ids.ts';
import type { MatchRules } from '../matching/rules.ts';
import { ActiveBans } from '../moderation/active-bans.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { ChangeFeed } from '../records/change-feed.ts';
import type { Changes, Records } from '../records/records.ts';
import { type GoneKeys, RecordedSites } from '../sites/recorded-sites.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { Site } from '../sites/site.ts';

/** Interval at which expired bans are dropped. Milliseconds. */
const FORGET_MS = 60_000;

export interface AccessDirectoryParts {
  readonly records: Pick<Records, 'revision' | 'changedSince'>;
  /** Clock for dates: which keys are valid, which bans in force. */
  readonly dates: Clock;
  /** Clock for durations. */
  readonly clock: MonotonicClock;
  readonly log: Log;
  /** Sites without a record; a record with the same key replaces them. */
  readonly builtIn: readonly Site[];
  /** Maximum duration of a poll of the records, in place of the default. Milliseconds. */
  readonly pollMaxMs?: number;
}

/** Change that may end the access of visitors who are connected. */
export interface AccessChange extends GoneKeys {
  /** True if there is a new ban. */
  readonly areBansNew: boolean;
}

/**
 * Sites and bans of the records, cached in memory and kept current by polling; only changes are applied. While the
 * records fail, the last known state stays in use.
 */
export class AccessDirectory implements SiteDirectory {
  readonly bans = new ActiveBans();
  readonly #sites: RecordedSites;
  readonly #parts: AccessDirectoryParts;
  readonly #listeners = new Set<(change: AccessChange) => void>();
  readonly #feed: ChangeFeed;
  #areBansNew = false;
  #forgottenAt: number;

  private constructor(parts: AccessDirectoryParts) {
    this.#parts = parts;
    this.#sites = new RecordedSites(parts);
    this.#forgottenAt = parts.clock();
    this.#feed = new ChangeFeed({
      ...parts,
      apply: (changes) => this.#apply(changes),
      polled: () => this.#polled(),
    });
  }

  /** Creates a directory with the complete state. Rejects if it cannot be read. */
  static async open(parts: AccessDirectoryParts): Promise<AccessDirectory> {
    const directory = new AccessDirectory(parts);
    await directory.#feed.read();
    return directory;
  }

  find(key: string): Site | undefined {
    return this.#sites.find(key);
  }

  byId(id: SiteId): Site | undefined {
    return this.#sites.byId(id);
  }

  rulesOf(id: SiteId): MatchRules {
    return this.#sites.rulesOf(id);
  }

  /** Calls the listener shortly after access was revoked. Returns a function that removes it. */
  onChange(listener: (change: AccessChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Time as of which the records are known, if they are stale; `null` otherwise. By `clock`. */
  staleSince(): number | null {
    return this.#feed.staleSince();
  }

  /** Starts polling the records, until `close`. */
  follow(): void {
    this.#feed.follow();
  }

  close(): void {
    this.#feed.close();
  }

  /** Polls the records once. Never rejects. */
  poll(): Promise<void> {
    return this.#feed.poll();
  }

  #apply(changes: Changes): void {
    const { isWhole, bans } = changes;
    if (bans.some((ban) => ban.liftedAt === null && !this.bans.has(ban))) this.#areBansNew = true;
    this.#sites.apply(changes);
    if (isWhole) this.bans.clear();
    for (const ban of bans) this.bans.apply(ban, this.#parts.dates());
  }

  #polled(): void {
    const { clock, dates } = this.#parts;
    this.#sites.refresh();
    const now = clock();
    if (now - this.#forgottenAt >= FORGET_MS) {
      this.bans.forget(dates());
      this.#forgottenAt = now;
    }
    this.#notify();
  }

  #notify(): void {
    const change: AccessChange = { ...this.#sites.consumeGoneKeys(), areBansNew: this.#areBansNew };
    if (change.goneKeys.length === 0 && !change.areSecretKeysGone && !change.areBansNew) return;
    this.#areBansNew = false;
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (thrown) {
        this.#parts.log.error({ error: errorFields(thrown) }, 'a change of sites could not be applied');
      }
    }
  }
}
