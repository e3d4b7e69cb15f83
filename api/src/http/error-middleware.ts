import type { Context, Next } from 'koa';
import { Refusal, toRefusal } from '../errors.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { newRequestId } from '../observability/request-id.ts';
import type { Metrics } from '../observability/metrics.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';

/** Gives every request an id, and answers every error and every unknown path with a problem of the error table. */
export function errorMiddleware(log: Log, metrics: Metrics) {
  return async (context: Context, next: Next): Promise<void> => {
    const requestId = newRequestId();
    context.set('X-Request-Id', requestId);
    try {
      if (context.headers.host === undefined || !isTarget(context.req.url)) throw new Refusal('bad_request');
      await next();
      if (context.respond !== false && context.status === 404 && context.body == null) throw new Refusal('not_found');
      if (context.status === 405 || context.status === 501) throw new Refusal('method_not_allowed');
      // Here, since what Koa cannot write it answers without a header of ours.
      if (isJson(context.body)) context.body = JSON.stringify(context.body);
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      metrics.count('passerby_refusals_total', { door: 'http', code: refusal.code });
      if (refusal.code === 'internal')
        log.error({ requestId, code: refusal.code, error: errorFields(thrown) }, 'HTTP request failed');
      const problem = problemOf(refusal, requestId);
      context.status = problem.status;
      if (refusal.retryAfterMs !== undefined)
        context.set('Retry-After', String(Math.ceil(refusal.retryAfterMs / 1_000)));
      context.set('Cache-Control', 'no-store');
      context.body = JSON.stringify(problem);
      context.type = PROBLEM_TYPE;
    }
  };
}

/**
 * Returns whether a request target is `*` or a path. Koa parses any other with a parser that throws, or warns on
 * stderr.
 */
function isTarget(url: string | undefined): boolean {
  return url === '*' || url?.startsWith('/') === true;
}

function isJson(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
}

/**
 * Returns the refusal for an error, by its status if it comes from Koa; its message may quote the request, and is not
 * used.
 */
function refusalOf(thrown: unknown): Refusal {
  const status = thrown instanceof Refusal ? undefined : (thrown as { readonly status?: unknown } | null)?.status;
  if (status === 413) return new Refusal('payload_too_large');
  if (status === 415) return new Refusal('unsupported_media_type');
  if (typeof status === 'number' && status >= 400 && status < 500) return new Refusal('bad_request');
  return toRefusal(thrown);
}
