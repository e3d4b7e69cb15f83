import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { RateLimiter, LimitStatus } from '../rate-limiting/rate-limiter.ts';
import type { SharedLimitName } from '../limits/rate-limits.ts';
import type { AddressHashes } from '../domain/ids.ts';

/**
 * Counts a route's requests by address, and sends the state of their quota in `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10). Refuses `rate_limited`; `Retry-After` comes with every refusal that has a
 * time.
 */
export function rateLimited(
  name: SharedLimitName,
  limiter: Pick<RateLimiter, 'tryConsume'>,
  addressOf: (request: IncomingMessage) => AddressHashes,
): Middleware {
  return async (context, next) => {
    const { statuses, refusal } = await limiter.tryConsume(name, { site: '', address: addressOf(context.req) });
    context.set('RateLimit-Policy', statuses.map(policyField).join(', '));
    context.set('RateLimit', statuses.map(stateField).join(', '));
    if (refusal !== null) throw refusal;
    await next();
  };
}

const seconds = (ms: number) => Math.ceil(ms / 1_000);
const policyField = ({ name, quota: { points, windowMs } }: LimitStatus) =>
  `"${name}";q=${points};w=${seconds(windowMs)}`;
const stateField = ({ name, left, resetMs }: LimitStatus) => `"${name}";r=${left};t=${seconds(resetMs)}`;
