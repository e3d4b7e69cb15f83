import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, Middleware, Next } from 'koa';
import { Refusal } from '../errors.ts';

/** Refuses requests without `Authorization: Bearer` and this token. */
export function bearerToken(token: string): Middleware {
  const expected = digest(token);
  return async (context: Context, next: Next): Promise<void> => {
    const [, presented = ''] = /^Bearer +(\S+)$/i.exec(context.get('Authorization')) ?? [];
    if (!timingSafeEqual(digest(presented), expected)) {
      context.set('WWW-Authenticate', 'Bearer');
      throw new Refusal('unauthorized');
    }
    await next();
  };
}

/** Digest of fixed length, so that the time of the comparison reveals neither the length nor a common prefix. */
const digest = (text: string) => createHash('sha256').update(text).digest();
