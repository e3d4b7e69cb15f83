import type { SiteKey } from '@passerby/sdk/protocol';
import type { Clock, MonotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../matching/rules.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { failureReason } from '../records/database-failure.ts';
import { isSameRevision, type Revision } from '../records/revisions.ts';
import type { Changes, Records } from '../records/records.ts';
import type { SiteRecord } from '../records/sites.ts';
import type { SiteId } from '../domain/ids.ts';
import { ActiveBans } from '../moderation/active-bans.ts';
import { UnreadableSettings } from './settings.ts';
import { type Sides, sidesOf } from './site-modes.ts';
import type { SiteDirectory } from './site-directory.ts';
import type { Site } from './site.ts';

/** How often the revision is looked at: what was revoked opens nothing a moment later. Milliseconds. */
const LOOK_MS = 300;
/** How long a look may take before it is given up: several deadlines of the records, which end it long before. Milliseconds. */
const LOOK_MAX_MS = 30_000;
/**
 * How often all is read anew, whatever the revision says: what was read while a database was being put back, or was
 * changed by hand, does not stay wrong. Milliseconds.
 */
const WHOLE_MS = 5 * 60_000;
/** After how long without an answer the directory counts as out of date: several looks. Milliseconds. */
const STALE_MS = 2_000;
/** How often bans whose time is up are dropped. Milliseconds. */
const FORGET_MS = 60_000;

export interface FollowedDirectoryParts {
  readonly records: Pick<Records, 'revision' | 'changedSince'>;
  /** For dates: which keys are good, which bans in force. */
  readonly dates: Clock;
  /** For durations. */
  readonly clock: MonotonicClock;
  readonly log: Log;
  /** Sites that are there without a record; a record with the same key takes their place. */
  readonly builtIn: readonly Site[];
  /** Replaces `LOOK_MAX_MS`. */
  readonly lookMaxMs?: number;
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
  /** Up to where it knows everything; `null` before the first look. */
  #revision: Revision | null = null;
  #wholeAt = -Infinity;
  /** When the next key runs out, Unix milliseconds. */
  #dueAt = Infinity;
  #seenAt: number;
  #forgottenAt: number;
  #looking: Promise<void> | null = null;
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
    await directory.#read();
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

  /**
   * As of when the records are known, if that is too long ago; `null` while all is well. As `clock` tells it: when the
   * last look that was answered began.
   */
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

  /** Looks once whether anything changed, takes it over, and tells what went away. One look at a time. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { log, clock, dates } = this.#parts;
    try {
      await this.#read();
    } catch (thrown) {
      const reason = failureReason(thrown);
      // The next look is a moment away, the log says each reason once a minute, and the health check since when.
      log.error(reason === undefined ? { error: errorFields(thrown) } : { reason }, 'sites cannot be looked up');
    }
    this.#refresh();
    const now = clock();
    if (now - this.#forgottenAt >= FORGET_MS) {
      this.#bans.forget(dates());
      this.#forgottenAt = now;
    }
    this.#tell();
  }

  /** Reads what changed and takes it over. Rejects if it cannot, after `LOOK_MAX_MS` at the latest. */
  async #read(): Promise<void> {
    const { clock, lookMaxMs = LOOK_MAX_MS } = this.#parts;
    const beganAt = clock();
    const isWholeDue = beganAt - this.#wholeAt >= WHOLE_MS;
    const changes = await within(this.#changes(isWholeDue ? null : this.#revision), lookMaxMs, late);
    if (changes !== null) this.#takeChanges(changes, beganAt);
    this.#seenAt = beganAt;
  }

  /** `null` if there are none. */
  async #changes(known: Revision | null): Promise<Changes | null> {
    const { records } = this.#parts;
    if (known !== null && isSameRevision(known, await records.revision())) return null;
    return records.changedSince(known);
  }

  #takeChanges({ revision, isWhole, sites, unreadable, bans }: Changes, now: number): void {
    const { dates } = this.#parts;
    if (bans.some((ban) => ban.liftedAt === null && !this.#bans.has(ban))) this.#areBansNew = true;
    if (isWhole) {
      this.#takeAll(sites);
      this.#bans.clear();
      this.#wholeAt = now;
    } else {
      for (const id of unreadable) this.#takeAway(id);
      for (const record of sites) this.#take(record);
    }
    for (const ban of bans) this.#bans.take(ban, dates());
    this.#setDue();
    this.#revision = revision;
  }

  /** These are all there are: forgets others, and keys that are no more. What is as it was costs next to nothing. */
  #takeAll(sites: readonly SiteRecord[]): void {
    const there = new Set(sites.map(({ id }) => id));
    const changed = sites.filter((record) => !isSameRecord(record, this.#records.get(record.id)?.record));
    for (const id of [...this.#records.keys()]) if (!there.has(id)) this.#takeAway(id);
    // Before any is taken: a key may be another site's now.
    const before = changed.flatMap(({ id }) => this.#records.get(id)?.record.keys ?? []);
    for (const { value } of before) this.#byKey.delete(value);
    for (const record of changed) this.#take(record);
  }

  /** Forgets a site, which is no more or cannot be read. */
  #takeAway(id: SiteId): void {
    const record = this.#records.get(id)?.record;
    if (record === undefined) return;
    this.#take({ ...record, isDisabled: true });
    this.#records.delete(id);
    for (const { value } of record.keys) this.#byKey.delete(value);
  }

  /** Keys run out without anybody changing anything. */
  #refresh(): void {
    const now = this.#parts.dates();
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
      const sides = sidesOf(record, this.#parts.dates());
      if (sides.unread > 0) {
        this.#parts.log.warn(
          { site: record.id, count: sides.unread },
          'origins of a site let nobody in: they are no longer accepted, see site show',
        );
      }
      return sides;
    } catch (thrown) {
      const why = thrown instanceof UnreadableSettings ? { field: thrown.field } : { error: errorFields(thrown) };
      this.#parts.log.error({ record: record.id, ...why }, 'a site is shut: it cannot be read');
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

function isSameRecord(a: SiteRecord, b: SiteRecord | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function late(): never {
  throw Object.assign(new Error('Too late'), { code: 'LOOK_TIMEOUT' });
}
