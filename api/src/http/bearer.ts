import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, Middleware, Next } from 'koa';
import { Refusal } from '../errors.ts';

/** Lets nobody through without `Authorization: Bearer` and this token. */
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

/** Of one length, so that neither the length nor a common beginning shows in the time. */
const digest = (text: string) => createHash('sha256').update(text).digest();
