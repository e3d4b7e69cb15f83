import Router from '@koa/router';
import type { Health, Readiness } from '@passerby/sdk/protocol';
import type { ReadinessCheck } from '../observability/readiness.ts';

export interface HealthParts {
  readonly store: Health['store'];
  readonly isDraining: () => boolean;
  readonly readiness: ReadinessCheck;
}

/** Routes `GET /healthz` (liveness; 503 while draining) and `GET /readyz` (readiness for visitors, with reasons). */
export function healthRoutes({ store, isDraining, readiness }: HealthParts): Router {
  const router = new Router();
  router.get('/healthz', (context) => {
    const health: Health = { status: isDraining() ? 'draining' : 'ok', store };
    context.status = health.status === 'ok' ? 200 : 503;
    context.set('Cache-Control', 'no-store');
    context.body = health;
  });
  router.get('/readyz', async (context) => {
    const { isReady, reasons, storeFaults } = await readiness.look();
    const answer: Readiness = {
      status: isReady ? 'ready' : 'not_ready',
      reasons,
      ...(storeFaults.length > 0 && { storeFaults }),
    };
    context.status = isReady ? 200 : 503;
    context.set('Cache-Control', 'no-store');
    context.body = answer;
  });
  return router;
}
