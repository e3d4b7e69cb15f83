import type { IncomingMessage } from 'node:http';
import type { ErrorCode, SiteKey } from '@passerby/sdk/protocol';
import { isOriginAllowed, parseOriginRule } from '../sites/origin-rule.ts';
import type { Site } from '../sites/site.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';

/** Rules that are checked for an unknown key, so that it takes as long to refuse as a known one. */
const DECOY = [parseOriginRule('https://nobody.invalid')];

/**
 * Returns the site of a request, if its key is known and its Origin is on that site's list; `null` otherwise, without
 * revealing which of the two failed, by the answer or by timing.
 */
export function findAdmittedSite(request: IncomingMessage, sites: SiteDirectory): Site | null {
  const [key = '', ...more] = queryOf(request).getAll('site');
  const site = more.length === 0 ? sites.find(key) : undefined;
  const isAllowed = isOriginAllowed(request.headers.origin, site?.origins ?? DECOY);
  return site !== undefined && isAllowed ? site : null;
}

/** Returns the publishable key of an admitted request. */
export function keyOf(request: IncomingMessage): SiteKey {
  return queryOf(request).get('site') as SiteKey;
}

/** Parses the query as Engine.IO does, so that both see the same `sid`. */
export function queryOf({ url = '/' }: IncomingMessage): URLSearchParams {
  return URL.parse(url, 'https://service.invalid')?.searchParams ?? new URLSearchParams();
}

/** Refusal of a page that may not embed a site, for any reason. */
export const REFUSED_ORIGIN: ErrorCode = 'origin_refused';
