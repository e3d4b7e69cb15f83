import type { SiteKey } from '@passerby/sdk/protocol';
import type { SiteId } from '../domain/ids.ts';
import { DEFAULT_GUARD, DEFAULT_POLICY } from './settings.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../matching/rules.ts';
import { USUAL_OWN_HOSTS } from '../privacy/own-machine.ts';
import { parseOriginRule } from './origin-rule.ts';
import type { Site } from './site.ts';

/** Lookup of sites by key and by id. */
export interface SiteDirectory {
  find(key: string): Site | undefined;
  byId(id: SiteId): Site | undefined;
  /** Returns the matching rules of a site; the default for one that has just been removed. */
  rulesOf(id: SiteId): MatchRules;
}

/** Built-in site of the demo page: for pages of this machine only, on any port. */
export const DEMO_SITE: Site = {
  id: 'site_demo' as SiteId,
  mode: 'test',
  keys: ['pk_test_demo' as SiteKey],
  name: 'Demo',
  origins: USUAL_OWN_HOSTS.map((host) => parseOriginRule(`http://${host}:*`)),
  match: DEFAULT_MATCH_RULES,
  policy: { ...DEFAULT_POLICY, interests: ['night trains', 'jazz', 'cooking', 'cycling', 'film'] },
  guard: DEFAULT_GUARD,
};

/** Creates a directory of these sites. */
export function directoryOf(sites: readonly Site[]): SiteDirectory {
  const byKey = new Map<string, Site>(sites.flatMap((site) => site.keys.map((key) => [key, site])));
  const byId = new Map<SiteId, Site>(sites.map((site) => [site.id, site]));
  return {
    find: (key) => byKey.get(key),
    byId: (id) => byId.get(id),
    rulesOf: (id) => byId.get(id)?.match ?? DEFAULT_MATCH_RULES,
  };
}
