import type { SiteKey } from '@passerby/sdk/protocol';
import type { KeyMode } from '../records/column-values.ts';
import type { KeyRecord } from '../records/keys.ts';
import type { SiteRecord } from '../records/sites.ts';
import type { SiteId } from '../domain/ids.ts';
import { isForTestsOnly, type OriginRule, readOriginRule } from './origin-rule.ts';
import { readSettings, type Settings } from './settings.ts';
import type { Site } from './site.ts';

/** A site as visitors meet it at a moment. */
export interface SiteModes {
  /** None while the site is disabled. */
  readonly sites: readonly Site[];
  /** Number of its origins that are refused since they were written, and let nobody in. */
  readonly unread: number;
  /** When the next key runs out and this is no longer so; `Infinity`: not by time. Unix milliseconds. */
  readonly goodUntil: number;
}

/** Returns whether a key is good at a time. */
export function isGood(key: KeyRecord, now: number): boolean {
  return key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now);
}

/** The id of one side of a site: the live one has the site's own. */
export function siteIdInMode(site: SiteId, mode: KeyMode): SiteId {
  return mode === 'live' ? site : (`${site}_test` as SiteId);
}

/** The site that a side belongs to. */
export function siteOfMode(side: SiteId): SiteId {
  return side.replace(/_test$/, '') as SiteId;
}

/** The live and the test side of a site. Throws if its settings are not what this version of the service can read. */
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
