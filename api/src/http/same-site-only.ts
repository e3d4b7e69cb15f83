import type { Context, Middleware, Next } from 'koa';
import { Refusal } from '../errors.ts';

/**
 * Refuses requests that a page of another origin makes a browser send, including forms. Other clients send neither
 * header and pass: the token authorises them, which no browser adds by itself.
 */
export function sameSiteOnly(publicUrl?: string): Middleware {
  return async (context: Context, next: Next): Promise<void> => {
    const fetchSite = context.get('Sec-Fetch-Site');
    const origin = context.get('Origin');
    const isForeign =
      fetchSite === 'cross-site' || fetchSite === 'same-site' || (origin !== '' && !isOwn(origin, context, publicUrl));
    if (isForeign) throw new Refusal('origin_refused', { message: 'Requests of pages of other origins are refused.' });
    await next();
  };
}

/**
 * Returns whether an origin is this service's own. Without `PUBLIC_URL` the scheme is unknown, since a proxy may
 * terminate TLS: then only host and port are compared.
 */
function isOwn(origin: string, { host }: Context, publicUrl: string | undefined): boolean {
  if (publicUrl !== undefined) return origin === new URL(publicUrl).origin;
  return URL.parse(origin)?.host === host;
}
