import type Router from '@koa/router';
import Koa from 'koa';
import type { Clock } from '../clock.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import { adminRoutes, type AdminParts } from './admin/router.ts';
import { demoFiles, widgetFiles } from './assets.ts';
import { errorMiddleware } from './error-middleware.ts';
import { healthRoutes, type HealthParts } from './health.ts';
import { metricsRoutes } from './metrics.ts';
import { ownHostOnly } from './own-host-only.ts';
import { securityHeaders } from './security-headers.ts';
import { securityTxtRoutes } from './security-txt.ts';
import { siteInfoRoutes } from './site-info.ts';

export interface HttpAppParts extends HealthParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Bearer token for the metrics; without one they are not served on this port. */
  readonly metricsToken: string | undefined;
  readonly sites: SiteDirectory;
  readonly securityContact: string | undefined;
  readonly publicUrl: string | undefined;
  readonly clock: Clock;
  /** The operators' API; absent if no token is configured. */
  readonly admin: AdminParts | undefined;
}

/** Creates the Koa app: health, public information on sites, the widget's files, the demo page. No cookies. */
export function createHttpApp(parts: HttpAppParts): Koa {
  const app = bareApp(parts);
  mount(app, healthRoutes(parts));
  mount(app, siteInfoRoutes(parts.sites));
  if (parts.admin !== undefined) mount(app, adminRoutes(parts.admin));
  mount(app, securityTxtRoutes({ ...parts, contact: parts.securityContact }));
  if (parts.metricsToken !== undefined) mount(app, metricsRoutes(parts.metrics, parts.metricsToken));
  app.use(widgetFiles());
  app.use(demoFiles());
  return app;
}

/** Creates an app with the metrics only, for a port of their own; `isLoopback` if only this machine can reach it. */
export function createMetricsApp(
  parts: Pick<HttpAppParts, 'log' | 'metrics' | 'metricsToken'> & { readonly isLoopback: boolean },
): Koa {
  const app = bareApp(parts);
  if (parts.isLoopback) app.use(ownHostOnly());
  mount(app, metricsRoutes(parts.metrics, parts.metricsToken));
  return app;
}

/**
 * Returns all routes but those of files, such as `GET /healthz`, read from the mounted routers, so that none is
 * missing.
 */
export function routesOf(app: Koa): readonly string[] {
  const routers = app.middleware.flatMap((middleware) => ('router' in middleware ? [middleware.router as Router] : []));
  return routers.flatMap(({ stack }) =>
    stack.flatMap(({ methods, path }) => methods.map((method) => `${method} ${String(path)}`)),
  );
}

function bareApp({ log, metrics }: Pick<HttpAppParts, 'log' | 'metrics'>): Koa {
  const app = new Koa();
  // Without a listener Koa writes to stderr itself, past the log.
  app.on('error', (error: Error & { readonly headerSent?: boolean }) => {
    if (error.headerSent === true) metrics.count('passerby_incidents_total', { kind: 'answer_aborted' });
    else log.error({ error: errorFields(error) }, 'HTTP answer failed');
  });
  // Around the errors, which need these headers too.
  app.use(securityHeaders());
  app.use(errorMiddleware(log, metrics));
  return app;
}

function mount(app: Koa, router: Router): void {
  app.use(router.routes());
  app.use(router.allowedMethods());
}
