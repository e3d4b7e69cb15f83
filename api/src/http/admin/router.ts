import Router from '@koa/router';
import type { IncomingMessage } from 'node:http';
import type { RateLimiter } from '../../rate-limiting/rate-limiter.ts';
import type { AddressHashes } from '../../domain/ids.ts';
import { bearerToken } from '../bearer.ts';
import { jsonBody } from '../json-body.ts';
import { rateLimited } from '../rate-limited.ts';
import { sameSiteOnly } from '../same-site-only.ts';
import { ADMIN_PATH, openApiOf } from './openapi.ts';
import type { Operation } from './operation.ts';

export interface AdminParts {
  readonly operations: readonly Operation[];
  /** Bearer token that allows everything. */
  readonly token: string;
  readonly limiter: Pick<RateLimiter, 'consume' | 'tryConsume'>;
  readonly addressOf: (request: IncomingMessage) => AddressHashes;
  readonly publicUrl: string | undefined;
}

/**
 * Router of the operators' API: bearer token and JSON only, and no page of another origin, so that a browser cannot be
 * tricked into a request (CSRF). Its OpenAPI document is public, at `/admin/v1/openapi.json`.
 */
export function adminRoutes({ operations, token, limiter, addressOf, publicUrl }: AdminParts): Router {
  const router = new Router({ prefix: ADMIN_PATH });
  router.use(sameSiteOnly(publicUrl));
  router.use(async (context, next) => {
    context.set('Cache-Control', 'no-store');
    await next();
  });

  const document = openApiOf(operations);
  router.get('/openapi.json', rateLimited('documents', limiter, addressOf), (context) => {
    context.body = document;
  });

  const checkToken = bearerToken(token);
  router.use(async (context, next) => {
    try {
      await checkToken(context, () => Promise.resolve());
    } catch (refusal) {
      await limiter.consume('failed_tokens', { site: '', address: addressOf(context.req) });
      throw refusal;
    }
    await next();
  });
  // Behind the token: whoever shares the operator's address uses up nothing of theirs.
  router.use(rateLimited('admin', limiter, addressOf));
  router.use(jsonBody());
  for (const { method, path, answer, status, run } of operations) {
    router[method](path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) => {
      const asked = { path: context.params, query: { ...context.query }, body: context.request.body };
      // Nothing that its schema does not name leaves.
      context.body = answer.parse(await run(asked));
      context.status = status;
    });
  }
  return router;
}
