import type { SiteKey } from '@passerby/sdk/protocol';
import type { KeyMode } from '../records/column-values.ts';
import type { KeyRecord } from '../records/keys.ts';
import type { SiteRecord } from '../records/sites.ts';
import type { SiteId } from '../domain/ids.ts';
import { isForTestsOnly, type OriginRule, readOriginRule } from './origin-rule.ts';
import { readSettings, type Settings } from './settings.ts';
import type { Site } from './site.ts';

/** State of a site in its modes at a given time. */
export interface SiteModes {
  /** The site in live and in test mode; empty while it is disabled. */
  readonly sites: readonly Site[];
  /** Number of stored origins that are invalid by now, and match nothing. */
  readonly unread: number;
  /** Time until which this holds, when the next key expires; `Infinity` if none does. Unix milliseconds. */
  readonly goodUntil: number;
}

/** Returns whether a key is valid at a time. */
export function isGood(key: KeyRecord, now: number): boolean {
  return key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now);
}

/** Returns the id of a site in one mode: in live mode the site's own. */
export function siteIdInMode(site: SiteId, mode: KeyMode): SiteId {
  return mode === 'live' ? site : (`${site}_test` as SiteId);
}

/** Returns the id of the site, given its id in one mode. */
export function siteOfMode(side: SiteId): SiteId {
  return side.replace(/_test$/, '') as SiteId;
}

/** Returns a site in live and in test mode. Throws if this version of the service cannot read its settings. */
export function siteModesOf(record: SiteRecord, now: number): SiteModes {
  if (record.isDisabled) return { sites: [], unread: 0, goodUntil: Infinity };
  const settings = readSettings(record.policy);
  const rules = record.origins.map(readOriginRule).filter((rule) => rule !== null);
  const good = record.keys.filter((key) => isGood(key, now));
  return {
    sites: (['live', 'test'] as const).map((mode) =>
      side(
        record,
        mode,
        good.filter((key) => key.mode === mode),
        rules,
        settings,
      ),
    ),
    unread: record.origins.length - rules.length,
    goodUntil: Math.min(...good.map(({ expiresAt }) => expiresAt ?? Infinity), Infinity),
  };
}

function side(
  record: SiteRecord,
  mode: KeyMode,
  keys: readonly KeyRecord[],
  rules: readonly OriginRule[],
  settings: Settings,
): Site {
  const { match, isClaimsNeeded, proofOfWork, ...policy } = settings;
  const valuesOf = (kind: KeyRecord['kind']) => keys.filter((key) => key.kind === kind).map(({ value }) => value);
  return {
    id: siteIdInMode(record.id, mode),
    mode,
    name: record.name,
    keys: valuesOf('publishable') as SiteKey[],
    origins: mode === 'live' ? rules.filter((rule) => !isForTestsOnly(rule)) : rules,
    policy,
    match,
    guard: { isClaimsNeeded, claimKeys: valuesOf('secret'), proofOfWork },
  };
}
