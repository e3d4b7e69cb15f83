import { describe, expect, test } from 'vitest';
import { Metrics } from '../observability/metrics.ts';
import type { AddressHash, SiteId } from '../domain/ids.ts';
import { SessionAdmission } from './session-admission.ts';
import { EventLoopLoad, SHED_FROM_MS } from '../rate-limiting/event-loop-load.ts';
import { RateLimiter } from '../rate-limiting/rate-limiter.ts';

const SITE = 'site_a' as SiteId;

function admissionWith({ factor = 1, shedFromMs = SHED_FROM_MS } = {}) {
  let [now, delayMs, count] = [1_000_000, 0, 0];
  const metrics = new Metrics();
  const limiter = new RateLimiter({
    factor,
    redis: null,
    clock: () => now,
    metrics,
  });
  const sessionAdmission = new SessionAdmission({
    limiter,
    load: { delayMs: () => delayMs },
    shedFromMs,
    clock: () => now,
    metrics,
  });
  return {
    sessionAdmission,
    metrics,
    arrive: () => sessionAdmission.admit({ site: SITE, address: [`a${++count}` as AddressHash] }),
    setDelay: (ms: number) => void (delayMs = ms),
    pass: (ms: number) => void (now += ms),
  };
}

describe('new session', () => {
  test('is refused while the event loop is late, with a random delay', async () => {
    const { arrive, setDelay, metrics } = admissionWith();
    setDelay(SHED_FROM_MS - 1);
    await arrive();
    setDelay(SHED_FROM_MS);
    const refusals = await Promise.all(Array.from({ length: 20 }, () => arrive().catch((refusal: unknown) => refusal)));
    const times = refusals.map((refusal) => (refusal as { retryAfterMs: number }).retryAfterMs);
    expect(refusals[0]).toMatchObject({ code: 'unavailable' });
    expect(Math.min(...times)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...times)).toBeLessThanOrEqual(6_000);
    expect(new Set(times).size).toBeGreaterThan(5);
    expect(metrics.countOf('passerby_incidents_total', { kind: 'sessions_shed' })).toBe(20);
    setDelay(0);
    await arrive();
  });

  test('counts towards the visible share of its site’s quota, until the window is over', async () => {
    const { sessionAdmission, arrive, pass } = admissionWith({ factor: 0.01 });
    expect(sessionAdmission.usedShare(SITE)).toBe(0);
    for (let count = 0; count < 15; count++) await arrive();
    expect(sessionAdmission.usedShare(SITE)).toBe(0.5);
    for (let count = 0; count < 15; count++) await arrive();
    await expect(arrive()).rejects.toMatchObject({ code: 'rate_limited' });
    expect(sessionAdmission.usedShare(SITE)).toBe(1);
    expect(sessionAdmission.usedShare('site_b' as SiteId)).toBe(0);
    pass(60_001);
    expect(sessionAdmission.usedShare(SITE)).toBe(0);
  });
});

test('a busy event loop has a delay, and an idle one has none', async () => {
  const load = new EventLoopLoad();
  await expect.poll(() => load.delayMs()).toBeLessThan(SHED_FROM_MS);
  const busy = setInterval(() => {
    const until = performance.now() + SHED_FROM_MS + 100;
    while (performance.now() < until);
  });
  try {
    await expect.poll(() => load.delayMs()).toBeGreaterThan(SHED_FROM_MS);
  } finally {
    clearInterval(busy);
  }
  await expect.poll(() => load.delayMs()).toBeLessThan(SHED_FROM_MS);
  load.stop();
});

test('a process with a higher threshold sheds new sessions later', async () => {
  const { arrive, setDelay } = admissionWith({ shedFromMs: 600 });
  setDelay(599);
  await arrive();
  setDelay(600);
  await expect(arrive()).rejects.toMatchObject({ code: 'unavailable' });
});
