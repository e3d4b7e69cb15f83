import type { Context, Next } from 'koa';
import { Refusal, toRefusal } from '../errors.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';

/** Answers everything that went wrong, and every address there is not, with a problem of the one error table. */
export function errorMiddleware(log: Log) {
  return async (context: Context, next: Next): Promise<void> => {
    try {
      await next();
      if (context.respond !== false && context.status === 404 && context.body == null) throw new Refusal('not_found');
      if (context.status === 405 || context.status === 501) throw new Refusal('method_not_allowed');
    } catch (thrown) {
      const refusal = toRefusal(thrown);
      if (refusal.code === 'internal')
        log.error({ code: refusal.code, error: errorFields(thrown) }, 'HTTP request failed');
      const problem = problemOf(refusal);
      context.status = problem.status;
      if (refusal.retryAfterMs !== undefined)
        context.set('Retry-After', String(Math.ceil(refusal.retryAfterMs / 1_000)));
      context.set('Cache-Control', 'no-store');
      context.body = JSON.stringify(problem);
      context.type = PROBLEM_TYPE;
    }
  };
}
