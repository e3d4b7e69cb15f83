import Router from '@koa/router';
import type { Metrics } from '../observability/metrics.ts';
import { bearerToken } from './bearer.ts';
import { sameSiteOnly } from './same-site-only.ts';

/** Route `GET /metrics` in Prometheus' text format; with a `token`, only for requests that present it. */
export function metricsRoutes(metrics: Metrics, token: string | undefined): Router {
  const router = new Router();
  const guards = token === undefined ? [sameSiteOnly()] : [sameSiteOnly(), bearerToken(token)];
  router.get('/metrics', ...guards, async (context) => {
    context.set('Cache-Control', 'no-store');
    context.set('Content-Type', metrics.contentType);
    context.body = await metrics.text();
  });
  return router;
}
