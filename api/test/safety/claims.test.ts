import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { claimsPrivateKeyOf, claimsPublicKeyOf } from '../../src/sites/site-keys.ts';
import { FREE, ORIGIN, SHOP, siteOf, startTestApp, until, Visitor } from '../harness.ts';

const SECRET = `sk_test_${randomBytes(32).toString('base64url')}`;
const claimKeys = [claimsPublicKeyOf(SECRET)];
const ageBands = ['13-17', '18+'];

/** Signs claims as a site's server does. */
const sign = (claims: Record<string, unknown>) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).setExpirationTime('5m').sign(claimsPrivateKeyOf(SECRET));

function site(isClaimsNeeded: boolean, policy: Parameters<typeof siteOf>[2] = {}) {
  const shop = siteOf(SHOP.key, [ORIGIN], policy, FREE);
  return { siteList: [{ ...shop, guard: { ...shop.guard, isClaimsNeeded, claimKeys } }] };
}
const REFUSED = { data: { code: 'claims_refused' } };

describe('site with claims', () => {
  test.each(['websocket', 'polling'] as const)('admits nobody without claims over %s', async (transport) => {
    await using app = await startTestApp(site(true));
    const transports = [transport];
    await expect(Visitor.arrive(app, { transports })).rejects.toMatchObject(REFUSED);
    await expect(Visitor.arrive(app, { transports, auth: { claims: 'made.up.claims' } })).rejects.toMatchObject(
      REFUSED,
    );
    await using visitor = await Visitor.arrive(app, { transports, auth: { claims: await sign({}) } });
    expect(await visitor.find()).toMatchObject({ ok: true });
    await until(() => app.held().sockets === 1, 'nobody else is in');
  });

  test('sets the age band: the visitor is not asked, and cannot choose another', async () => {
    await using app = await startTestApp(site(false, { ageBands }));
    await using visitor = await Visitor.arrive(app, { auth: { claims: await sign({ ageBand: '13-17' }) } });
    expect(visitor.ready.agreed).toEqual({ rules: null, ageBand: '13-17' });
    const other = await visitor.ask('session:agree', { ageBand: '18+' });
    expect(other).toMatchObject({ ok: false, error: { code: 'age_band_fixed' } });
    expect(await visitor.find()).toMatchObject({ ok: true });
  });

  test('refuses to resume a session of another band', async () => {
    await using app = await startTestApp(site(false, { ageBands }));
    const visitor = await Visitor.arrive(app);
    await visitor.ask('session:agree', { ageBand: '18+' });
    visitor.cut();
    const auth = { resume: visitor.ready.resume, claims: await sign({ ageBand: '13-17' }) };
    await using back = new Visitor(app, { auth });
    expect(await back.next('session:refused')).toMatchObject({ code: 'age_band_fixed' });
    await until(() => !back.socket.connected, 'the connection is closed');
    expect(back.all('session:ready')).toEqual([]);
  });

  test('does not match a waiting visitor without a band as one who has it', async () => {
    await using app = await startTestApp(site(false));
    const visitor = await Visitor.arrive(app);
    await visitor.find();
    visitor.cut();
    const auth = { resume: visitor.ready.resume, claims: await sign({ ageBand: '18+' }) };
    await using back = new Visitor(app, { auth });
    expect(await back.next('session:refused')).toMatchObject({ code: 'age_band_fixed' });
    await using other = await Visitor.arrive(app);
    expect(await other.find()).toMatchObject({ data: { status: 'waiting' } });
  });

  test("bans by its own id, whatever the visitor's address", async () => {
    await using app = await startTestApp({
      ...site(false),
      config: { TRUSTED_HOPS: 1 },
      bans: { findBan: (_site, kind, value) => (kind === 'ban_id' && value === 'u-7' ? FOREVER : null) },
    });
    for (const from of ['203.0.113.1', '203.0.113.2']) {
      const banned = Visitor.arrive(app, { from, auth: { claims: await sign({ banId: 'u-7' }) } });
      await expect(banned).rejects.toMatchObject({ data: { code: 'banned' } });
      await using other = await Visitor.arrive(app, { from, auth: { claims: await sign({ banId: 'u-8' }) } });
      expect(await other.find()).toMatchObject({ ok: true });
    }
  });
});

const FOREVER = { until: null, isAutomatic: false };
