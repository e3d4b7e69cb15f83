import type { Context, Middleware, Next } from 'koa';
import { Refusal } from '../errors.ts';
import { isLoopback, USUAL_OWN_HOSTS } from '../privacy/own-machine.ts';

/** Host of a `Host` header, which brackets an IPv6 address, before an optional port. */
const HOST = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/;

/**
 * Refuses a request whose `Host` is not this machine. A page can resolve a name of its own to 127.0.0.1 and then read
 * responses as same-origin (DNS rebinding); the browser still sends that name. For servers on loopback.
 */
export function ownHostOnly(): Middleware {
  return async (context: Context, next: Next): Promise<void> => {
    const [, host] = HOST.exec(context.get('Host')) ?? [];
    if (host === undefined || !isLoopback(host))
      throw new Refusal('origin_refused', {
        message: `The Host header must be ${USUAL_OWN_HOSTS.join(', ')} on this port.`,
      });
    await next();
  };
}
