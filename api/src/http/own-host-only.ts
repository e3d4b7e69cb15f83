import type { Context, Middleware, Next } from 'koa';
import { Refusal } from '../errors.ts';

/** Names and addresses that lead to one's own machine, in whatever a browser was told. */
const OWN_HOST = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Refuses a request whose `Host` is not this machine. A page can point a name of its own at 127.0.0.1 and then
 * reads answers as its own (DNS rebinding); the browser still sends that name. For what listens on loopback.
 */
export function ownHostOnly(): Middleware {
  return async (context: Context, next: Next): Promise<void> => {
    if (!OWN_HOST.test(context.get('Host')))
      throw new Refusal('origin_refused', {
        message: 'This port answers only to localhost, 127.0.0.1 and [::1] in the Host header.',
      });
    await next();
  };
}
