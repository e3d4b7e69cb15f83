import type { SiteKey } from '@passerby/sdk/protocol';
import type { Clock } from '../clock.ts';
import type { SiteId } from '../domain/ids.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../matching/rules.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Changes } from '../records/records.ts';
import type { SiteRecord } from '../records/sites.ts';
import { UnreadableSettings } from './settings.ts';
import type { SiteDirectory } from './site-directory.ts';
import { type SiteModes, siteModesOf } from './site-modes.ts';
import type { Site } from './site.ts';

export interface RecordedSitesParts {
  /** Clock for dates: which keys are valid. */
  readonly dates: Clock;
  readonly log: Log;
  /** Sites without a record; a record with the same key replaces them. */
  readonly builtIn: readonly Site[];
}

/** Keys that are no longer valid. */
export interface GoneKeys {
  /** Publishable keys that became invalid: revoked, expired, or their site disabled. */
  readonly goneKeys: readonly SiteKey[];
  /** True if a secret key became invalid: claims signed with it are no longer accepted. */
  readonly areSecretKeysGone: boolean;
}

/** Sites of the records, cached in memory, by key and by id. */
export class RecordedSites implements SiteDirectory {
  readonly #parts: RecordedSitesParts;
  readonly #records = new Map<SiteId, { readonly record: SiteRecord; readonly modes: SiteModes }>();
  readonly #byId = new Map<SiteId, Site>();
  /** Sites by key; `null` for a key that is known and invalid. */
  readonly #byKey = new Map<string, Site | null>();
  #goneKeys = new Set<SiteKey>();
  #areSecretKeysGone = false;
  /** Time at which the next key expires, Unix milliseconds. */
  #dueAt = Infinity;

  constructor(parts: RecordedSitesParts) {
    this.#parts = parts;
  }

  find(key: string): Site | undefined {
    this.refresh();
    const site = this.#byKey.get(key);
    if (site === undefined) return this.#parts.builtIn.find(({ keys }) => keys.includes(key as SiteKey));
    return site ?? undefined;
  }

  byId(id: SiteId): Site | undefined {
    this.refresh();
    return this.#byId.get(id) ?? this.#parts.builtIn.find((site) => site.id === id);
  }

  rulesOf(id: SiteId): MatchRules {
    return this.byId(id)?.match ?? DEFAULT_MATCH_RULES;
  }

  /** Applies changes of the records. */
  apply({ isWhole, sites, unreadable }: Pick<Changes, 'isWhole' | 'sites' | 'unreadable'>): void {
    if (isWhole) {
      this.#applyAll(sites);
    } else {
      for (const id of unreadable) this.#remove(id);
      for (const record of sites) this.#applyRecord(record);
    }
    this.#setDue();
  }

  /** Applies the expiry of keys, which changes nothing in the records. */
  refresh(): void {
    const now = this.#parts.dates();
    if (now < this.#dueAt) return;
    for (const { record, modes } of [...this.#records.values()]) if (modes.goodUntil <= now) this.#applyRecord(record);
    this.#setDue();
  }

  /** Returns the keys that became invalid since the last call. */
  consumeGoneKeys(): GoneKeys {
    const gone = { goneKeys: [...this.#goneKeys], areSecretKeysGone: this.#areSecretKeysGone };
    this.#goneKeys = new Set();
    this.#areSecretKeysGone = false;
    return gone;
  }

  /**
   * Applies the complete list of sites: drops others, and keys that no longer exist. Unchanged sites cost next to
   * nothing.
   */
  #applyAll(sites: readonly SiteRecord[]): void {
    const there = new Set(sites.map(({ id }) => id));
    const changed = sites.filter((record) => !isSameRecord(record, this.#records.get(record.id)?.record));
    for (const id of [...this.#records.keys()]) if (!there.has(id)) this.#remove(id);
    // Before any is taken: a key may be another site's now.
    const before = changed.flatMap(({ id }) => this.#records.get(id)?.record.keys ?? []);
    for (const { value } of before) this.#byKey.delete(value);
    for (const record of changed) this.#applyRecord(record);
  }

  /** Drops a site that no longer exists or cannot be read. */
  #remove(id: SiteId): void {
    const record = this.#records.get(id)?.record;
    if (record === undefined) return;
    this.#applyRecord({ ...record, isDisabled: true });
    this.#records.delete(id);
    for (const { value } of record.keys) this.#byKey.delete(value);
  }

  #setDue(): void {
    this.#dueAt = [...this.#records.values()].reduce((due, { modes }) => Math.min(due, modes.goodUntil), Infinity);
  }

  #applyRecord(record: SiteRecord): void {
    const before = this.#records.get(record.id)?.modes.sites ?? [];
    const modes = this.#modesOf(record);
    this.#records.set(record.id, { record, modes });
    for (const { id } of before) this.#byId.delete(id);
    for (const site of modes.sites) this.#byId.set(site.id, site);

    const good = new Map(modes.sites.flatMap((site) => site.keys.map((key) => [key as string, site] as const)));
    for (const { kind, value } of record.keys) {
      if (kind === 'publishable') this.#byKey.set(value, good.get(value) ?? null);
    }
    for (const key of before.flatMap(({ keys }) => keys)) if (!good.has(key)) this.#goneKeys.add(key);
    for (const key of good.keys()) this.#goneKeys.delete(key as SiteKey);
    const secrets = new Set(modes.sites.flatMap(({ guard }) => guard.claimKeys));
    if (before.some(({ guard }) => guard.claimKeys.some((key) => !secrets.has(key)))) this.#areSecretKeysGone = true;
  }

  /** Returns a site in its modes. One whose settings cannot be read is closed, rather than open with other settings. */
  #modesOf(record: SiteRecord): SiteModes {
    try {
      const modes = siteModesOf(record, this.#parts.dates());
      if (modes.unread > 0) {
        this.#parts.log.warn(
          { site: record.id, count: modes.unread },
          'some origins of a site are no longer accepted: see site show',
        );
      }
      return modes;
    } catch (thrown) {
      const why = thrown instanceof UnreadableSettings ? { field: thrown.field } : { error: errorFields(thrown) };
      this.#parts.log.error({ record: record.id, ...why }, 'a site is disabled: its record cannot be read');
      return { sites: [], unread: 0, goodUntil: Infinity };
    }
  }
}

function isSameRecord(a: SiteRecord, b: SiteRecord | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
