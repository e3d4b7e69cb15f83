import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { Actor, AuditAction, KeyKind, KeyMode } from '../records/column-values.ts';
import { auditNoteOf, type AuditNote } from '../records/audit.ts';
import type { KeyRecord } from '../records/keys.ts';
import type { Records, Stores } from '../records/records.ts';
import type { SiteRecord } from '../records/sites.ts';
import type { SiteId } from '../domain/ids.ts';
import {
  checked,
  keyKind,
  keyMode,
  newSite,
  type NewSiteInput,
  originEntries,
  originEntry,
  overlapMs,
  siteName,
} from './input-schemas.ts';
import { issueKey } from './site-keys.ts';
import { DEFAULT_SETTINGS, settings, type Settings, tryReadSettings, writeSettings } from './settings.ts';
import { isGood } from './site-modes.ts';

/**
 * Maximum number of valid keys of one kind and mode at a time; a rotation needs two or three. Claims are verified with
 * one secret key after the other.
 */
export const GOOD_KEYS_MAX = 10;

/** Site for its owner and operators. Contains no secret. */
export interface SiteView {
  readonly id: SiteId;
  readonly name: string;
  readonly isDisabled: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly origins: readonly string[];
  /** `null`: this version cannot read the stored ones, and the site is closed until they are set again. */
  readonly settings: Settings | null;
  /** All keys ever made, oldest first. */
  readonly keys: readonly KeyView[];
}

export interface KeyView {
  readonly id: string;
  readonly kind: KeyKind;
  readonly mode: KeyMode;
  /** A publishable key itself; the first and last characters of a secret one. */
  readonly hint: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** True if it is valid now, provided its site is not disabled. */
  readonly isGood: boolean;
}

/** Newly issued key with its text: a secret one is never shown again. */
export interface NewKeyView extends KeyView {
  readonly text: string;
}

export interface SiteServiceParts {
  readonly records: Records;
  readonly clock: Clock;
  /** Actor for the audit trail. */
  readonly actor: Actor;
}

/**
 * Operations on sites, behind both the command line and the admin API. Each change is written together with its entry
 * in the audit trail. Refuses `bad_request` with a message that names the field, `not_found`, and `already_exists`.
 */
export class SiteService {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #note: AuditNote;

  constructor({ records, clock, actor }: SiteServiceParts) {
    this.#records = records;
    this.#clock = clock;
    this.#note = auditNoteOf(actor, clock);
  }

  /** Returns all sites, oldest first. */
  async list(): Promise<readonly SiteView[]> {
    return (await this.#records.sites.list()).map((site) => this.#view(site));
  }

  async get(id: SiteId): Promise<SiteView> {
    return this.#view(await siteIn(this.#records, id));
  }

  /** Adds a site with a publishable key for each mode and a secret one for live mode. */
  async add(input: NewSiteInput): Promise<{ readonly site: SiteView; readonly keys: readonly NewKeyView[] }> {
    const given = checked(newSite, input);
    const id = given.id ?? (`site_${randomBytes(9).toString('hex')}` as SiteId);
    const policy = writeSettings(given.settings ?? DEFAULT_SETTINGS);
    return this.#records.change(async (stores) => {
      if ((await stores.sites.get(id)) !== undefined)
        throw new Refusal('already_exists', { message: `The site ${id} already exists.` });
      await stores.sites.add({ id, name: given.name, createdAt: this.#clock(), origins: given.origins, policy });
      await this.#note(stores, 'site.add', id, null);
      const keys = [
        await this.#issue(stores, id, 'publishable', 'live', 'key.add'),
        await this.#issue(stores, id, 'publishable', 'test', 'key.add'),
        await this.#issue(stores, id, 'secret', 'live', 'key.add'),
      ];
      return { site: this.#view(await siteIn(stores, id)), keys };
    });
  }

  rename(id: SiteId, name: string): Promise<SiteView> {
    return this.set(id, { name });
  }

  /** Disables a site: nobody can use it, and it keeps all its data. */
  disable(id: SiteId): Promise<SiteView> {
    return this.set(id, { isDisabled: true });
  }

  enable(id: SiteId): Promise<SiteView> {
    return this.set(id, { isDisabled: false });
  }

  /** Changes name and state, both or neither. */
  async set(id: SiteId, change: { readonly name?: string; readonly isDisabled?: boolean }): Promise<SiteView> {
    const { isDisabled } = change;
    const name = change.name === undefined ? undefined : checked(siteName, change.name, 'name');
    return this.#change(id, async (stores, site) => {
      if (name !== undefined) {
        await stores.sites.set(id, { name });
        await this.#note(stores, 'site.rename', id, null);
      }
      if (isDisabled !== undefined && site.isDisabled !== isDisabled) {
        await stores.sites.set(id, { isDisabled });
        await this.#note(stores, isDisabled ? 'site.disable' : 'site.enable', id, null);
      }
    });
  }

  /** Replaces all settings: fields that are left out get their default. */
  async setPolicy(id: SiteId, input: unknown): Promise<SiteView> {
    const policy = writeSettings(checked(settings, input));
    return this.#change(id, async (stores) => {
      await stores.sites.setPolicy(id, policy);
      await this.#note(stores, 'site.policy', id, null);
    });
  }

  async addOrigin(id: SiteId, origin: string): Promise<SiteView> {
    const entry = checked(originEntry, origin, 'origin');
    return this.#change(id, async (stores, { origins }) => {
      if (origins.includes(entry))
        throw new Refusal('already_exists', { message: `${entry} is already an origin of ${id}.` });
      await stores.sites.setOrigins(id, checked(originEntries, [...origins, entry], 'origins'));
      await this.#note(stores, 'origin.add', id, entry);
    });
  }

  /** Removes an origin, given exactly as in the list. */
  removeOrigin(id: SiteId, origin: string): Promise<SiteView> {
    return this.#change(id, async (stores, { origins }) => {
      if (!origins.includes(origin)) throw new Refusal('not_found', { message: `That origin is not one of ${id}.` });
      await stores.sites.setOrigins(
        id,
        origins.filter((entry) => entry !== origin),
      );
      await this.#note(stores, 'origin.remove', id, origin);
    });
  }

  /** Issues a further key; the others stay valid. */
  async addKey(id: SiteId, kind: KeyKind, mode: KeyMode): Promise<NewKeyView> {
    checked(keyKind, kind, 'kind');
    checked(keyMode, mode, 'mode');
    return this.#records.change(async (stores) => {
      await siteIn(stores, id);
      return this.#issue(stores, id, kind, mode, 'key.add');
    });
  }

  /** Issues a new key, and makes the valid ones of its kind and mode expire `overlap` milliseconds from now. */
  async rotateKey(id: SiteId, kind: KeyKind, mode: KeyMode, overlap: number): Promise<NewKeyView> {
    checked(keyKind, kind, 'kind');
    checked(keyMode, mode, 'mode');
    checked(overlapMs, overlap, 'overlapMs');
    return this.#records.change(async (stores) => {
      const now = this.#clock();
      const former = (await siteIn(stores, id)).keys.filter(
        (key) => key.kind === kind && key.mode === mode && isGood(key, now),
      );
      for (const key of former) await stores.keys.expire(key, now + overlap);
      return this.#issue(stores, id, kind, mode, 'key.rotate');
    });
  }

  /** Revokes a key at once, on every node, and permanently. Revoking again changes nothing. */
  async revokeKey(keyId: string): Promise<KeyView> {
    // Not repeated: it may be a secret one.
    if (/^[ps]k_/.test(keyId))
      throw new Refusal('bad_request', {
        message:
          'Expected the id of a key, which begins with key_, not the key itself; list the keys of the site to find it.',
      });
    return this.#records.change(async (stores) => {
      const key = await stores.keys.get(keyId);
      if (key === undefined) throw new Refusal('not_found', { message: 'Unknown key id.' });
      if (key.revokedAt !== null) return this.#viewKey(key);
      await stores.keys.revoke(key, this.#clock());
      await this.#note(stores, 'key.revoke', key.site, key.id);
      return this.#viewKey((await stores.keys.get(keyId))!);
    });
  }

  #change(id: SiteId, work: (stores: Stores, site: SiteRecord) => Promise<void>): Promise<SiteView> {
    return this.#records.change(async (stores) => {
      await work(stores, await siteIn(stores, id));
      return this.#view(await siteIn(stores, id));
    });
  }

  async #issue(stores: Stores, site: SiteId, kind: KeyKind, mode: KeyMode, action: AuditAction): Promise<NewKeyView> {
    const now = this.#clock();
    const good = (await siteIn(stores, site)).keys.filter(
      (key) => key.kind === kind && key.mode === mode && isGood(key, now),
    );
    if (good.length >= GOOD_KEYS_MAX) {
      throw new Refusal('bad_request', {
        message: `A site has at most ${GOOD_KEYS_MAX} valid keys of one kind and mode. Revoke one, or rotate without an overlap.`,
      });
    }
    const { text, value, hint } = issueKey(kind, mode);
    const id = stores.ids.next('key');
    const key = { id, site, kind, mode, value, hint, createdAt: now };
    await stores.keys.add(key);
    await this.#note(stores, action, site, id);
    return { ...this.#viewKey({ ...key, expiresAt: null, revokedAt: null }), text };
  }

  #view({ id, name, isDisabled, createdAt, origins, policy, keys }: SiteRecord): SiteView {
    const viewed = keys.map((key) => this.#viewKey(key));
    return { id, name, isDisabled, createdAt, origins, settings: tryReadSettings(policy), keys: viewed };
  }

  #viewKey(key: KeyRecord): KeyView {
    const { id, kind, mode, hint, createdAt, expiresAt, revokedAt } = key;
    return { id, kind, mode, hint, createdAt, expiresAt, revokedAt, isGood: isGood(key, this.#clock()) };
  }
}

async function siteIn(stores: Pick<Stores, 'sites'>, id: SiteId): Promise<SiteRecord> {
  const site = await stores.sites.get(id);
  if (site === undefined) throw new Refusal('not_found', { message: 'Unknown site id.' });
  return site;
}
