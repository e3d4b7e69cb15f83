import type { Context, Middleware, Next } from 'koa';
import { Refusal } from '../errors.ts';

/**
 * Refuses what a page of another origin makes a browser send, a form of it included. Programs send neither
 * header and pass: what they may do is for the token to say, which no browser adds by itself.
 */
export function sameSiteOnly(publicUrl?: string): Middleware {
  return async (context: Context, next: Next): Promise<void> => {
    const fetchSite = context.get('Sec-Fetch-Site');
    const origin = context.get('Origin');
    const isForeign =
      fetchSite === 'cross-site' || fetchSite === 'same-site' || (origin !== '' && !isOwn(origin, context, publicUrl));
    if (isForeign) throw new Refusal('origin_refused', { message: 'Pages of other origins may not ask this.' });
    await next();
  };
}

/** Without `PUBLIC_URL` the scheme is not known, since a proxy may have taken off TLS: then host and port have to do. */
function isOwn(origin: string, { host }: Context, publicUrl: string | undefined): boolean {
  if (publicUrl !== undefined) return origin === new URL(publicUrl).origin;
  return URL.parse(origin)?.host === host;
}
