import Router from '@koa/router';
import type { Health } from '@passerby/sdk/protocol';

/** `GET /healthz`: whether this process should get traffic. 503 while it drains. */
export function healthRoutes(store: Health['store'], isDraining: () => boolean): Router {
  const router = new Router();
  router.get('/healthz', (context) => {
    const health: Health = { status: isDraining() ? 'draining' : 'ok', store };
    context.status = health.status === 'ok' ? 200 : 503;
    context.set('Cache-Control', 'no-store');
    context.body = health;
  });
  return router;
}
