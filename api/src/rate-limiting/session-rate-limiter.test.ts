import { expect, test } from 'vitest';
import { RATE_LIMITS } from '../limits/rate-limits.ts';
import { Metrics } from '../observability/metrics.ts';
import { quotaRefusals, SessionRateLimiter } from './session-rate-limiter.ts';

test("SessionRateLimiter refuses actions beyond a session's quota, counts that, and returns the delay", () => {
  const metrics = new Metrics();
  const [a, b] = ['a', 'b'].map(
    () => new SessionRateLimiter({ clock: () => 0, factor: 1, refusals: quotaRefusals(metrics) }),
  );
  const { points } = RATE_LIMITS.searches.session;
  for (let taken = 0; taken < points; taken++) a!.consume('searches');
  expect(() => a!.consume('searches')).toThrow(expect.objectContaining({ code: 'rate_limited', retryAfterMs: 2_000 }));
  expect(() => b!.consume('searches')).not.toThrow();
  expect(() => a!.consume('requests')).not.toThrow();
  expect(metrics.countOf('passerby_limits_met_total', { limit: 'searches', scope: 'session' })).toBe(1);
});
