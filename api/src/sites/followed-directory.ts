import type { SiteKey } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../decision/rules.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Records } from '../records/records.ts';
import type { SiteRecord } from '../records/sites.ts';
import type { SiteId } from '../state/state-store.ts';
import { ActiveBans } from './active-bans.ts';
import { sidesOf, type Sides } from './sides.ts';
import type { SiteDirectory } from './site-directory.ts';
import type { Site } from './site.ts';

/** How often the revision is looked at: what was revoked opens nothing a moment later. Milliseconds. */
const LOOK_MS = 300;
/** After how long without an answer the directory counts as out of date: several looks. Milliseconds. */
const STALE_MS = 2_000;
/** How often bans whose time is up are dropped. Milliseconds. */
const FORGET_MS = 60_000;

export interface FollowedDirectoryParts {
  readonly records: Pick<Records, 'revision' | 'changedSince'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Sites that are there without a record; a record with the same key takes their place. */
  readonly builtIn: readonly Site[];
}

/** What is no longer so, for those who let somebody in because it was. */
export interface DirectoryChange {
  /** Publishable keys that were good and are not: revoked, run out, or their site disabled. */
  readonly goneKeys: readonly SiteKey[];
  /** Whether a secret key that was good is not: what was signed with it is no longer believed. */
  readonly areSecretKeysGone: boolean;
  /** Whether somebody is shut out who was not. */
  readonly areBansNew: boolean;
}

/**
 * All sites and bans of the records, in memory, and never older than a moment: looks at the revision again
 * and again, and takes over only what changed. While the records fail the last truth stands.
 */
export class FollowedDirectory implements SiteDirectory {
  readonly #parts: FollowedDirectoryParts;
  readonly #bans = new ActiveBans();
  readonly #records = new Map<SiteId, { readonly record: SiteRecord; readonly sides: Sides }>();
  readonly #byId = new Map<SiteId, Site>();
  /** `null` for a key that is known and not good. */
  readonly #byKey = new Map<string, Site | null>();
  readonly #listeners = new Set<(change: DirectoryChange) => void>();
  #goneKeys = new Set<SiteKey>();
  #areSecretKeysGone = false;
  #areBansNew = false;
  #revision = 0;
  /** When the next key runs out. */
  #dueAt = Infinity;
  #seenAt: number;
  #forgottenAt: number;
  #isFailing = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(parts: FollowedDirectoryParts) {
    this.#parts = parts;
    this.#seenAt = parts.clock();
    this.#forgottenAt = this.#seenAt;
  }

  /** Reads all there is, and rejects if it cannot. */
  static async open(parts: FollowedDirectoryParts): Promise<FollowedDirectory> {
    const directory = new FollowedDirectory(parts);
    await directory.#takeChanges();
    return directory;
  }

  get bans(): ActiveBans {
    return this.#bans;
  }

  find(key: string): Site | undefined {
    this.#refresh();
    const site = this.#byKey.get(key);
    if (site === undefined) return this.#parts.builtIn.find(({ keys }) => keys.includes(key as SiteKey));
    return site ?? undefined;
  }

  byId(id: SiteId): Site | undefined {
    this.#refresh();
    return this.#byId.get(id) ?? this.#parts.builtIn.find((site) => site.id === id);
  }

  rulesOf(id: SiteId): MatchRules {
    return this.byId(id)?.match ?? DEFAULT_MATCH_RULES;
  }

  /** Tells of what went away, until the returned function is called. At most `LOOK_MS` after it has. */
  onChange(listener: (change: DirectoryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Since when nothing was heard of the records, if that is too long ago; `null` while all is well. Unix milliseconds. */
  staleSince(): number | null {
    return this.#parts.clock() - this.#seenAt > STALE_MS ? this.#seenAt : null;
  }

  /** Looks again and again, from now on until `close`. */
  follow(): void {
    const again = () => {
      if (this.#isClosed) return;
      this.#timer = setTimeout(() => void this.look().then(again), LOOK_MS);
    };
    again();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Looks once whether anything changed, takes it over, and tells what went away. Never rejects. */
  async look(): Promise<void> {
    try {
      await this.#takeChanges();
      this.#isFailing = false;
    } catch (thrown) {
      // Said once: the next look is a moment away, and the health check says since when.
      if (!this.#isFailing) this.#parts.log.error({ error: errorFields(thrown) }, 'sites cannot be looked up');
      this.#isFailing = true;
    }
    this.#refresh();
    const now = this.#parts.clock();
    if (now - this.#forgottenAt >= FORGET_MS) {
      this.#bans.forget(now);
      this.#forgottenAt = now;
    }
    this.#tell();
  }

  async #takeChanges(): Promise<void> {
    const { records, clock } = this.#parts;
    const latest = this.#revision === 0 ? null : await records.revision();
    if (latest !== this.#revision) {
      // A revision never falls, unless the database was put back to what it was: all of it is read anew.
      const isPutBack = latest !== null && latest < this.#revision;
      const { revision, sites, bans } = await records.changedSince(isPutBack ? 0 : this.#revision);
      if (isPutBack) this.#forgetAllBut(new Set(sites.map(({ id }) => id)));
      for (const record of sites) this.#take(record);
      for (const ban of bans) this.#bans.take(ban, clock());
      if (bans.some(({ liftedAt }) => liftedAt === null)) this.#areBansNew = true;
      this.#setDue();
      this.#revision = revision;
    }
    this.#seenAt = clock();
  }

  /** Forgets bans, keys, and sites that are not among `there`; those that are are to be taken next. */
  #forgetAllBut(there: ReadonlySet<SiteId>): void {
    for (const [id, { record }] of [...this.#records]) {
      if (there.has(id)) continue;
      this.#take({ ...record, isDisabled: true });
      this.#records.delete(id);
    }
    this.#byKey.clear();
    this.#bans.clear();
  }

  /** Keys run out without anybody changing anything. */
  #refresh(): void {
    const now = this.#parts.clock();
    if (now < this.#dueAt) return;
    for (const { record, sides } of [...this.#records.values()]) if (sides.goodUntil <= now) this.#take(record);
    this.#setDue();
  }

  #setDue(): void {
    this.#dueAt = [...this.#records.values()].reduce((due, { sides }) => Math.min(due, sides.goodUntil), Infinity);
  }

  #take(record: SiteRecord): void {
    const before = this.#records.get(record.id)?.sides.sites ?? [];
    const sides = this.#sidesOf(record);
    this.#records.set(record.id, { record, sides });
    for (const { id } of before) this.#byId.delete(id);
    for (const site of sides.sites) this.#byId.set(site.id, site);

    const good = new Map(sides.sites.flatMap((site) => site.keys.map((key) => [key as string, site] as const)));
    for (const { kind, value } of record.keys) {
      if (kind === 'publishable') this.#byKey.set(value, good.get(value) ?? null);
    }
    for (const key of before.flatMap(({ keys }) => keys)) if (!good.has(key)) this.#goneKeys.add(key);
    for (const key of good.keys()) this.#goneKeys.delete(key as SiteKey);
    const secrets = new Set(sides.sites.flatMap(({ guard }) => guard.claimKeys));
    if (before.some(({ guard }) => guard.claimKeys.some((key) => !secrets.has(key)))) this.#areSecretKeysGone = true;
  }

  /** A site whose settings cannot be read is shut rather than open in some other way. */
  #sidesOf(record: SiteRecord): Sides {
    try {
      const sides = sidesOf(record, this.#parts.clock());
      if (sides.unread > 0) {
        this.#parts.log.warn(
          { site: record.id, count: sides.unread },
          'origins of a site let nobody in: they are no longer accepted, see site show',
        );
      }
      return sides;
    } catch (thrown) {
      this.#parts.log.error({ site: record.id, error: errorFields(thrown) }, 'site cannot be read');
      return { sites: [], unread: 0, goodUntil: Infinity };
    }
  }

  #tell(): void {
    if (this.#goneKeys.size === 0 && !this.#areSecretKeysGone && !this.#areBansNew) return;
    const change = {
      goneKeys: [...this.#goneKeys],
      areSecretKeysGone: this.#areSecretKeysGone,
      areBansNew: this.#areBansNew,
    };
    this.#goneKeys = new Set();
    this.#areSecretKeysGone = false;
    this.#areBansNew = false;
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (thrown) {
        this.#parts.log.error({ error: errorFields(thrown) }, 'a change of sites was not taken');
      }
    }
  }
}
