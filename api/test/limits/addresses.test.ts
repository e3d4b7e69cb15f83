import { describe, expect, it, test } from 'vitest';
import { RATE_LIMITS, timesAt } from '../../src/limits/rate-limits.ts';
import { SHOP, siteOf, startTestApp, until, Visitor } from '../harness.ts';
import { RawConnection } from '../bounds/raw-connection.ts';
import { handshake, handshakes } from './raw-handshake.ts';

const { points: SESSIONS } = RATE_LIMITS.sessions.address;

/** Returns that many addresses, all different. */
const addresses = (count: number) =>
  Array.from({ length: count }, (_, index) => `203.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
const serviceBehind = (trustedHops: number) =>
  startTestApp({ config: { TRUSTED_HOPS: trustedHops, RATE_LIMIT_FACTOR: 1 } });

describe.each(['websocket', 'polling'] as const)('over %s', (transport) => {
  test('S3 three hundred forged X-Forwarded-For are one address without a trusted proxy', async () => {
    await using app = await serviceBehind(0);
    expect(await handshakes(app.url, transport, addresses(300))).toEqual({
      'let in': SESSIONS,
      rate_limited: 300 - SESSIONS,
    });
  });

  test('S3 three hundred forged ones are one address behind a proxy that appends the real one', async () => {
    await using app = await serviceBehind(1);
    const forwarded = addresses(300).map((forged) => `${forged}, 198.51.100.7`);
    expect(await handshakes(app.url, transport, forwarded)).toEqual({
      'let in': SESSIONS,
      rate_limited: 300 - SESSIONS,
    });
  });

  test('three hundred real ones behind that proxy are as many addresses', async () => {
    await using app = await serviceBehind(1);
    const forwarded = addresses(100).map((real) => `6.6.6.6, ${real}`);
    expect(await handshakes(app.url, transport, forwarded)).toEqual({ 'let in': 100 });
  });

  test('S3 all addresses of an IPv6 /64 count as one, those of the next do not', async () => {
    await using app = await serviceBehind(1);
    const within = (network: string) => Array.from({ length: 40 }, (_, host) => `2001:db8:0:${network}::${host + 1}`);
    expect(await handshakes(app.url, transport, within('1'))).toEqual({
      'let in': SESSIONS,
      rate_limited: 40 - SESSIONS,
    });
    expect(await handshakes(app.url, transport, within('2'))).toEqual({
      'let in': SESSIONS,
      rate_limited: 40 - SESSIONS,
    });
  });
});

describe('S32 subscriber with many IPv6 networks', () => {
  it('opens no more sessions from a /56 than its quota, and leaves the rest of the site’s quota to others', async () => {
    await using app = await serviceBehind(1);
    const of56 = SESSIONS * timesAt(1);
    const household = Array.from({ length: 256 }, (_, n) => `2001:db8:aa:${n.toString(16)}::1`);
    expect(await handshakes(app.url, 'websocket', household)).toEqual({ 'let in': of56, rate_limited: 256 - of56 });
    expect(await handshakes(app.url, 'websocket', addresses(100))).toEqual({ 'let in': 100 });
  });

  it('counts as the IPv4 address behind a tunnel, however many networks that provides', async () => {
    await using app = await serviceBehind(1);
    const tunnel = Array.from({ length: 40 }, (_, n) => `2002:c633:6407:${n.toString(16)}::1`);
    expect(await handshakes(app.url, 'websocket', tunnel)).toEqual({ 'let in': SESSIONS, rate_limited: 40 - SESSIONS });
    expect(await handshakes(app.url, 'websocket', ['198.51.100.7'])).toEqual({ rate_limited: 1 });
  });

  it('keeps no more connections open from a /56 or a /48 than their limits', async () => {
    await using app = await startTestApp({ bounds: { addressConnectionsMax: 1 }, config: { TRUSTED_HOPS: 1 } });
    const open: Visitor[] = [];
    const openFrom = async (from: string) => {
      const visitor = new Visitor(app, { from });
      open.push(visitor);
      return Promise.race([
        visitor.next('session:ready').then(() => true),
        new Promise<boolean>((resolve) => visitor.socket.once('connect_error', () => resolve(false))),
      ]);
    };
    const opened = [];
    for (let n = 0; n < 6; n++) opened.push(await openFrom(`2001:db8:aa:${n}::1`));
    expect(opened).toEqual([true, true, true, true, false, false]);
    let count = 4;
    for (let n = 1; n < 30; n++) if (await openFrom(`2001:db8:aa:${n.toString(16)}00::1`)) count += 1;
    expect(count).toBe(timesAt(2));
    expect(await openFrom('2001:db8:ab::1')).toBe(true);
    for (const visitor of open) visitor.socket.disconnect();
  });
});

describe('S7 resuming', () => {
  const { points: RETURNS } = RATE_LIMITS.returns.address;

  test('is limited by address, before any lookup', async () => {
    await using app = await serviceBehind(1);
    const here = { from: '198.51.100.7' };
    let { resume } = await Visitor.arrive(app, here).then((visitor) => (visitor.cut(), visitor.ready));
    const codes = new Map<string, number>();
    for (let count = 0; count < RETURNS + 5; count++) {
      await using visitor = new Visitor(app, { ...here, auth: { resume } });
      await until(() => visitor.told.length > 0, 'it is answered');
      const [ready] = visitor.all('session:ready');
      resume = ready?.resume ?? resume;
      const answer = ready === undefined ? visitor.all('session:refused')[0]!.code : 'let in';
      codes.set(answer, (codes.get(answer) ?? 0) + 1);
    }
    expect(Object.fromEntries(codes)).toEqual({ 'let in': RETURNS, rate_limited: 5 });
    expect(app.metrics.countOf('passerby_limits_met_total', { limit: 'returns', scope: 'address' })).toBe(5);
    // Who was refused keeps the token, and the neighbours come back as ever.
    await using elsewhere = await Visitor.arrive(app, { from: '198.51.100.8', auth: { resume } });
    expect(elsewhere.ready.recovered).toBe(true);
  });
});

describe('S4 connections of one address', () => {
  test('beyond the limit are refused on both transports, joined or not, and admitted once one has closed', async () => {
    await using app = await startTestApp({ bounds: { addressConnectionsMax: 3 }, config: { TRUSTED_HOPS: 1 } });
    await using first = await RawConnection.upgraded(app);
    await using second = await RawConnection.upgraded(app);
    await using third = await RawConnection.upgraded(app);
    expect([first, second, third].map(({ received }) => received.slice(0, 12))).toEqual(Array(3).fill('HTTP/1.1 101'));
    await using fourth = await RawConnection.upgraded(app);
    expect(fourth.received).toMatch(/^HTTP\/1\.1 400 [^]*rate_limited$/);
    expect(await handshake(app.url, 'polling', 'nobody')).toBe('rate_limited');
    expect(app.metrics.countOf('passerby_refusals_total', { door: 'handshake', code: 'rate_limited' })).toBe(2);
    expect(await handshake(app.url, 'polling', '198.51.100.7')).toBe('let in');
    await first[Symbol.asyncDispose]();
    await expect.poll(() => handshake(app.url, 'websocket', 'nobody')).toBe('let in');
  });

  test('that are silent are closed beyond the limit without a trusted proxy, and delay nobody', async () => {
    await using app = await startTestApp({ bounds: { addressTcpMax: 3 } });
    const silent = await Promise.all([1, 2, 3].map(() => RawConnection.open(app)));
    await using fourth = await RawConnection.open(app);
    await until(() => fourth.isClosed, 'the fourth is closed');
    expect(silent.map(({ isClosed }) => isClosed)).toEqual([false, false, false]);
    await Promise.all(silent.map((connection) => connection[Symbol.asyncDispose]()));
    await expect.poll(() => handshake(app.url, 'websocket', 'nobody')).toBe('let in');
  });

  test('are not counted behind a trusted proxy', async () => {
    await using app = await startTestApp({ bounds: { addressTcpMax: 1 }, config: { TRUSTED_HOPS: 1 } });
    await using silent = await RawConnection.open(app);
    expect(await handshake(app.url, 'websocket', '198.51.100.7')).toBe('let in');
    expect(silent.isClosed).toBe(false);
  });
});

describe('S29 CONNECTs of one address', () => {
  const { points: CONNECTS } = RATE_LIMITS.connects.address;
  const NOBODYS = ['{"alg":"EdDSA"}', `{"exp":${Math.floor(Date.now() / 1_000) + 300}}`, 'x'.repeat(64)]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

  test('are limited whether they are refused or not, on all sites together', async () => {
    const other = siteOf('pk_test_other');
    await using app = await startTestApp({
      siteList: [SHOP, other],
      config: { TRUSTED_HOPS: 1, RATE_LIMIT_FACTOR: 1 },
    });
    const codes = new Map<string, number>();
    for (let count = 0; count < CONNECTS + 5; count++) {
      const site = count % 2 === 0 ? SHOP.key : other.key;
      const claims = count % 3 === 0 ? NOBODYS : 'none';
      const visitor = new Visitor(app, { from: '198.51.100.7', site, auth: { claims } });
      const { data } = await new Promise<{ data: { code: string; retryAfterMs?: number } }>((resolve) =>
        visitor.socket.once('connect_error', resolve as never),
      );
      codes.set(data.code, (codes.get(data.code) ?? 0) + 1);
      if (data.code === 'rate_limited') expect(data.retryAfterMs).toBeGreaterThan(0);
    }
    expect(Object.fromEntries(codes)).toEqual({ claims_refused: CONNECTS, rate_limited: 5 });
    expect(app.metrics.countOf('passerby_limits_met_total', { limit: 'connects', scope: 'address' })).toBe(5);
    await using neighbour = await Visitor.arrive(app, { from: '198.51.100.8' });
    expect(neighbour.ready.recovered).toBe(false);
  });
});
