import { describe, expect, it, test } from 'vitest';
import { Refusal } from '../errors.ts';
import { Metrics } from '../observability/metrics.ts';
import type { AddressHash, SiteId } from '../domain/ids.ts';
import { type RateLimitSubject, RateLimiter } from './rate-limiter.ts';
import { RATE_LIMITS, timesAt } from '../limits/rate-limits.ts';

const subject = (address: string, site = 'site_a'): RateLimitSubject => ({
  site: site as SiteId,
  address: [address as AddressHash],
});
const PER_ADDRESS = RATE_LIMITS.sessions.address.points;

function limiterWith(factor = 1) {
  const metrics = new Metrics();
  return { limiter: new RateLimiter({ factor, redis: null, clock: Date.now, metrics }), metrics };
}

async function takenOf(tries: number, take: () => Promise<void>): Promise<number> {
  let taken = 0;
  for (let count = 0; count < tries; count++) {
    try {
      await take();
      taken += 1;
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(Refusal);
      expect(thrown).toMatchObject({ code: 'rate_limited' });
      expect((thrown as Refusal).retryAfterMs).toBeGreaterThan(0);
    }
  }
  return taken;
}

test('each address has the quota of the table', async () => {
  const { limiter, metrics } = limiterWith();
  expect(await takenOf(PER_ADDRESS + 5, () => limiter.consume('sessions', subject('a')))).toBe(PER_ADDRESS);
  expect(await takenOf(PER_ADDRESS + 5, () => limiter.consume('sessions', subject('b')))).toBe(PER_ADDRESS);
  expect(metrics.countOf('passerby_limits_met_total', { limit: 'sessions', scope: 'address' })).toBe(10);
});

test('each site has a quota of its own, whatever the addresses', async () => {
  const { limiter, metrics } = limiterWith(0.01);
  let count = 0;
  expect(await takenOf(40, () => limiter.consume('sessions', subject(`a${++count}`)))).toBe(30);
  expect(metrics.countOf('passerby_limits_met_total', { limit: 'sessions', scope: 'site' })).toBe(10);
  expect(await takenOf(1, () => limiter.consume('sessions', subject('b1', 'site_b')))).toBe(1);
});

test('a refused address does not consume its site’s quota', async () => {
  const { limiter } = limiterWith(0.01);
  expect(await takenOf(200, () => limiter.consume('sessions', subject('greedy')))).toBe(1);
  let count = 0;
  expect(await takenOf(29, () => limiter.consume('sessions', subject(`a${++count}`)))).toBe(29);
});

test('names are counted separately', async () => {
  const { limiter } = limiterWith();
  await takenOf(PER_ADDRESS + 1, () => limiter.consume('sessions', subject('a')));
  expect(await takenOf(1, () => limiter.consume('searches', subject('a')))).toBe(1);
});

test('counting without waiting refuses from the next turn on', async () => {
  const { limiter, metrics } = limiterWith();
  const { points } = RATE_LIMITS.searches.address;
  for (let taken = 0; taken <= points; taken++) limiter.consumeInBackground('searches', subject('a'));
  await expect.poll(() => takenAtOnce(limiter, 'a')).toBe(false);
  expect(takenAtOnce(limiter, 'b')).toBe(true);
  expect(metrics.countOf('passerby_limits_met_total', { limit: 'searches', scope: 'address' })).toBeGreaterThan(0);
});

function takenAtOnce(limiter: RateLimiter, address: string): boolean {
  try {
    limiter.consumeInBackground('searches', subject(address));
    return true;
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'rate_limited' });
    return false;
  }
}

test('the state is available, refused or not', async () => {
  const { limiter } = limiterWith();
  const { statuses, refusal } = await limiter.tryConsume('sessions', subject('a'));
  expect(refusal).toBeNull();
  expect(statuses).toMatchObject([
    { scope: 'address', left: 29, resetMs: expect.any(Number) as number },
    { scope: 'site', left: 2_999 },
  ]);
  await takenOf(30, () => limiter.consume('sessions', subject('a')));
  const refused = await limiter.tryConsume('sessions', subject('a'));
  expect(refused.statuses).toMatchObject([{ scope: 'address', left: 0 }]);
  expect(refused.refusal).toMatchObject({ code: 'rate_limited' });
});

describe('S32 the networks of an IPv6 address', () => {
  const [OF_56, OF_48] = [PER_ADDRESS * timesAt(1), PER_ADDRESS * timesAt(2)];
  let count = 0;
  const at = (...wider: string[]): RateLimitSubject => ({
    site: 'site_a' as SiteId,
    address: [`n${++count}`, ...wider] as unknown as RateLimitSubject['address'],
  });

  it('have one quota a /56 together, however many /64 are used, and the next /56 another', async () => {
    const { limiter } = limiterWith();
    expect(await takenOf(OF_56 + 50, () => limiter.consume('sessions', at('/56 a', '/48')))).toBe(OF_56);
    expect(await takenOf(OF_56 + 50, () => limiter.consume('sessions', at('/56 b', '/48')))).toBe(OF_56);
  });

  it('have one quota a /48 together, however many /56 are used', async () => {
    const { limiter } = limiterWith();
    expect(await takenOf(OF_48 + 50, () => limiter.consume('sessions', at(`/56 ${++count}`, '/48')))).toBe(OF_48);
  });

  it('consume nothing from the site and from each other with a refusal of a wider one', async () => {
    const { limiter } = limiterWith();
    await takenOf(OF_56, () => limiter.consume('sessions', at('/56 a', '/48')));
    const refused = at('/56 a', '/48');
    await takenOf(200, () => limiter.consume('sessions', refused));
    const elsewhere = {
      ...refused,
      address: [refused.address[0], '/56 b', '/48'] as unknown as RateLimitSubject['address'],
    };
    const { statuses } = await limiter.tryConsume('sessions', elsewhere);
    expect(statuses).toMatchObject([
      { scope: 'address', left: PER_ADDRESS - 1 },
      { scope: 'site', left: RATE_LIMITS.sessions.site.points - OF_56 - 1 },
    ]);
  });

  it('report the state of the one with the fewest left', async () => {
    const { limiter } = limiterWith();
    await takenOf(OF_56 - 3, () => limiter.consume('sessions', at('/56 a', '/48')));
    const { statuses } = await limiter.tryConsume('sessions', at('/56 a', '/48'));
    expect(statuses[0]).toMatchObject({ scope: 'address', quota: { points: OF_56 }, left: 2 });
  });

  it('are refused at once if one of them is used up', async () => {
    const { limiter } = limiterWith();
    const { points } = RATE_LIMITS.searches.address;
    for (let taken = 0; taken <= points * timesAt(1); taken++)
      limiter.consumeInBackground('searches', at('/56 a', '/48'));
    await expect
      .poll(() => {
        try {
          limiter.consumeInBackground('searches', at('/56 a', '/48'));
          return 'let through';
        } catch (thrown) {
          return (thrown as Refusal).code;
        }
      })
      .toBe('rate_limited');
  });
});
