import type { Health } from '@passerby/sdk/protocol';
import Koa from 'koa';
import helmet from 'koa-helmet';
import type { Log } from '../observability/log.ts';
import { demoFiles, widgetFiles } from './assets.ts';
import { errorMiddleware } from './error-middleware.ts';
import { healthRoutes } from './health.ts';

export interface HttpParts {
  readonly log: Log;
  readonly store: Health['store'];
  readonly isDraining: () => boolean;
}

/** The HTTP half of the service: health, the widget's files, the demo page. No cookies, no bodies. */
export function createHttpApp({ log, store, isDraining }: HttpParts): Koa {
  const app = new Koa();
  app.use(errorMiddleware(log));
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'"],
          connectSrc: ["'self'", 'ws:', 'wss:'],
          frameSrc: ["'self'"],
          frameAncestors: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          requireTrustedTypesFor: ["'script'"],
          trustedTypes: ["'none'"],
        },
      },
      xFrameOptions: { action: 'sameorigin' },
    }),
  );
  const health = healthRoutes(store, isDraining);
  app.use(health.routes());
  app.use(health.allowedMethods());
  app.use(widgetFiles());
  app.use(demoFiles());
  return app;
}
