import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SiteKey } from '@passerby/sdk/protocol';
import { z } from 'zod';
import * as ids from '../contract/ids.ts';
import type { SiteId } from '../domain/ids.ts';
import { originEntries, siteName } from './input-schemas.ts';
import { type Settings, settingsFields } from './settings.ts';

/** Site of the sites file. */
export interface SiteSeed {
  /** The same on every node and after every start. */
  readonly id: SiteId;
  readonly key: SiteKey;
  readonly name: string;
  /** Origins as entered; each can be parsed. */
  readonly origins: readonly string[];
  readonly settings: Settings;
}

const seed = z
  .strictObject({ key: ids.siteKey, name: siteName, origins: originEntries, ...settingsFields })
  .transform(({ key, name, origins, ...settings }): SiteSeed => ({ id: seedId(key), key, name, origins, settings }));

/** The same on every node and after every start. */
function seedId(key: string): SiteId {
  return `site_${createHash('sha256').update(key).digest('base64url').slice(0, 16)}` as SiteId;
}

/**
 * Schema of the file named by `SITES_FILE`: `{ "sites": [ { "key", "name", "origins", …settings } ] }`. Unknown keys
 * are refused.
 */
export const sitesFile = z.strictObject({
  sites: z
    .array(seed)
    .refine((sites) => new Set(sites.map(({ key }) => key)).size === sites.length, 'two sites have the same key'),
});

/**
 * Reads a sites file. Throws an `Error` of one line that names the variable, the invalid entries and what is expected,
 * and quotes nothing of the file.
 */
export function readSitesFile(path: string): readonly SiteSeed[] {
  const parsed = sitesFile.safeParse(jsonIn(path));
  if (parsed.success) return parsed.data.sites;
  const issues = parsed.error.issues.map(({ path: where, message }) => `${where.join('.') || 'the file'}: ${message}`);
  throw new Error(`SITES_FILE: ${issues.join('; ')}`);
}

function jsonIn(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`SITES_FILE: the file cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // The rest of the message quotes the file, which may be any other one.
    const where = / \(line \d+ column \d+\)/.exec((error as Error).message)?.[0] ?? '';
    throw new Error(`SITES_FILE: the file is not valid JSON${where}`, { cause: error });
  }
}
