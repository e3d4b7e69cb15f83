import Router from '@koa/router';
import type { SiteInfo } from '@passerby/sdk/protocol';
import type { Context } from 'koa';
import { Refusal } from '../errors.ts';
import { findAdmittedSite, REFUSED_ORIGIN } from '../admission/origin-check.ts';
import type { Site } from '../sites/site.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';

/** `Access-Control-Max-Age`: time for which a browser may cache the preflight response. Seconds. */
const PREFLIGHT_MAX_AGE_S = 600;

/**
 * Route `GET /v1/site?site=pk_…`: public information on a site before a page connects, for the origins of that site
 * only.
 */
export function siteInfoRoutes(sites: SiteDirectory): Router {
  const router = new Router();
  router.get('/v1/site', (context) => {
    const { mode, policy } = admitted(context, sites);
    const info: SiteInfo = { mode, policy };
    context.body = info;
  });
  router.options('/v1/site', (context) => {
    admitted(context, sites);
    context.set('Access-Control-Allow-Methods', 'GET');
    context.set('Access-Control-Max-Age', String(PREFLIGHT_MAX_AGE_S));
    context.status = 204;
  });
  return router;
}

/** Returns the site and allows its page to read the response, if the origin is admitted. All refusals look the same. */
function admitted(context: Context, sites: SiteDirectory): Site {
  context.set('Vary', 'Origin');
  context.set('Cache-Control', 'no-store');
  const site = findAdmittedSite(context.req, sites);
  if (site === null) throw new Refusal(REFUSED_ORIGIN);
  context.set('Access-Control-Allow-Origin', context.get('Origin'));
  return site;
}
