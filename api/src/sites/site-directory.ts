import { readFileSync } from 'node:fs';
import type { SiteKey } from '@passerby/sdk/protocol';
import { z } from 'zod';
import { DEFAULT_POLICY, sitesFile } from './sites-file.ts';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../decision/rules.ts';
import { parseOriginRule } from './origin-rule.ts';
import type { Site } from './site.ts';

/** Where a key finds its site. */
export interface SiteDirectory {
  find(key: string): Site | undefined;
  /** Who meets whom on a site; the default for one that has just been taken away. */
  rulesOf(key: SiteKey): MatchRules;
}

/** The built-in site of the demo page: pages of this machine only, whatever the port. */
export const DEMO_SITE: Site = {
  key: 'pk_demo' as SiteKey,
  name: 'Demo',
  origins: ['http://localhost', 'http://127.0.0.1', 'http://[::1]'].map((origin) => parseOriginRule(`${origin}:*`)),
  match: DEFAULT_MATCH_RULES,
  policy: { ...DEFAULT_POLICY, interests: ['night trains', 'jazz', 'cooking', 'cycling', 'film'] },
};

/** A directory of these sites. */
export function directoryOf(sites: readonly Site[]): SiteDirectory {
  const byKey = new Map<string, Site>(sites.map((site) => [site.key, site]));
  return {
    find: (key) => byKey.get(key),
    rulesOf: (key) => byKey.get(key)?.match ?? DEFAULT_MATCH_RULES,
  };
}

/** Reads a sites file. Throws an `Error` that names the file, the entry and what it wants. */
export function readSitesFile(path: string): readonly Site[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`SITES_FILE ${path}: ${(error as Error).message}`, { cause: error });
  }
  const parsed = sitesFile.safeParse(json);
  if (!parsed.success) throw new Error(`SITES_FILE ${path}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data.sites;
}
