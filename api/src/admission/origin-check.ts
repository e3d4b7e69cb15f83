import type { IncomingMessage } from 'node:http';
import type { ErrorCode, SiteKey } from '@passerby/sdk/protocol';
import { isOriginAllowed, parseOriginRule } from '../sites/origin-rule.ts';
import type { Site } from '../sites/site.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';

/** Rules that are checked for a key that nobody has, so that it takes as long to refuse as one that somebody has. */
const DECOY = [parseOriginRule('https://nobody.invalid')];

/**
 * The site a request speaks for, if its key is known and its Origin is on that site's list; `null`
 * otherwise, without saying which of the two it was, by the answer or by the time it takes.
 */
export function findAdmittedSite(request: IncomingMessage, sites: SiteDirectory): Site | null {
  const [key = '', ...more] = queryOf(request).getAll('site');
  const site = more.length === 0 ? sites.find(key) : undefined;
  const isAllowed = isOriginAllowed(request.headers.origin, site?.origins ?? DECOY);
  return site !== undefined && isAllowed ? site : null;
}

/** The publishable key of a request that was admitted. */
export function keyOf(request: IncomingMessage): SiteKey {
  return queryOf(request).get('site') as SiteKey;
}

/** The query as Engine.IO reads it: what it takes for a `sid` must not look like something else here. */
export function queryOf({ url = '/' }: IncomingMessage): URLSearchParams {
  return URL.parse(url, 'https://service.invalid')?.searchParams ?? new URLSearchParams();
}

/** Refusal of a page that may not embed a site, whatever the reason. */
export const REFUSED_ORIGIN: ErrorCode = 'origin_refused';
