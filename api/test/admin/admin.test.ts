import { readFile } from 'node:fs/promises';
import type { ConversationId } from '@passerby/sdk/protocol';
import { SignJWT } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { ModerationService } from '../../src/moderation/moderation-service.ts';
import type { AddressHash, SiteId } from '../../src/domain/ids.ts';
import { claimsPrivateKeyOf } from '../../src/sites/site-keys.ts';
import { ORIGIN, until, Visitor } from '../harness.ts';
import { tempRecords } from '../temp-records.ts';
import { type AdminService, OPERATOR_TOKEN, startAdminService } from './admin-service.ts';

const DAY_MS = 24 * 60 * 60_000;
const MATCH_AT_ONCE = {
  expansions: [{ afterMs: 0, reach: 'site', isInterestNeeded: false, isLanguageNeeded: false, isRepeatAllowed: true }],
};

/** Site that the tests' pages may use, and its live key. */
async function addSite(service: AdminService, settings: Record<string, unknown> = {}) {
  const { status, body } = await service.ask('POST', '/sites', {
    name: 'Shop',
    origins: [ORIGIN],
    settings: { match: MATCH_AT_ONCE, ...settings },
  });
  expect(status).toBe(201);
  const key = (kind: string, mode: string) =>
    body.keys.find((one: { kind: string; mode: string }) => one.kind === kind && one.mode === mode);
  return { site: body.site, live: key('publishable', 'live'), secret: key('secret', 'live') };
}
async function arrive(service: AdminService, site: string, from = '203.0.113.1') {
  return Visitor.arrive(service.app, { site, from });
}
const isLetIn = (service: AdminService, site: string) =>
  arrive(service, site).then(
    (visitor) => visitor[Symbol.asyncDispose]().then(() => true),
    () => false,
  );

describe("operators' API", () => {
  test('S20 requires its token, counts wrong ones, and is disabled without one', async () => {
    await using service = await startAdminService({ config: { RATE_LIMIT_FACTOR: 1 } });
    for (const Authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${OPERATOR_TOKEN}`, OPERATOR_TOKEN]) {
      const answer = await service.ask('GET', '/sites', undefined, { Authorization });
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    }
    let last = 0;
    for (let tries = 0; tries < 10 && last !== 429; tries++) {
      last = (await service.ask('GET', '/sites', undefined, { Authorization: `Bearer ${tries}` })).status;
    }
    expect(last).toBe(429);
    expect((await service.ask('GET', '/sites')).status).toBe(200);

    await using other = await startAdminService({ config: { OPERATOR_TOKEN: undefined } });
    expect(await other.ask('GET', '/sites')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('S20 cannot be locked for an operator by others behind the same address', async () => {
    await using service = await startAdminService({ config: { RATE_LIMIT_FACTOR: 1 } });
    const wrong = { Authorization: 'Bearer wrong' };
    const asked = async (path: string, headers: Readonly<Record<string, string>>) => {
      const statuses: number[] = [];
      for (let count = 0; count < 130; count++) {
        statuses.push((await service.ask('GET', path, undefined, headers)).status);
      }
      return new Set(statuses);
    };
    expect(await asked('/sites', wrong)).toEqual(new Set([401, 429]));
    expect(await asked('/openapi.json', wrong)).toEqual(new Set([200, 429]));
    const answer = await service.ask('GET', '/sites');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('ratelimit')).toMatch(/^"admin";r=119;/);
    expect(await asked('/sites', {})).toEqual(new Set([200, 429]));
  });

  test.each([
    [
      'a form of another origin',
      { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'https://evil.example' },
    ],
    ['a script of another origin', { 'Content-Type': 'application/json', Origin: 'https://evil.example' }],
    ['a page whose browser says that it is another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a page of another host of the site', { 'Sec-Fetch-Site': 'same-site' }],
    ['a page without an origin', { Origin: 'null' }],
  ])('S20 refuses %s, with a token or without', async (_, headers) => {
    await using service = await startAdminService();
    const answer = await service.ask('POST', '/sites', { name: 'Evil' }, headers);
    expect(answer).toMatchObject({ status: 403, body: { code: 'origin_refused' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(await service.records.sites.list()).toEqual([]);
  });

  test('S20 accepts only JSON that matches its schemas, and names the fault', async () => {
    await using service = await startAdminService();
    const form = await service.ask('POST', '/sites', 'name=Evil', { 'Content-Type': 'text/plain' });
    expect(form).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
    const cases: readonly (readonly [unknown, string])[] = [
      ['{', 'JSON'],
      [{ name: '' }, 'name'],
      [{ name: 'Shop', origins: ['shop.example'] }, 'origins'],
      [{ name: 'Shop', isAdmin: true }, 'isAdmin'],
      [{ name: 'Shop', settings: { ageBands: ['a', 'a'] } }, 'ageBands'],
    ];
    for (const [body, word] of cases) {
      const answer = await service.ask('POST', '/sites', body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
      if (word !== 'JSON') expect(answer.body.title).toContain(word);
    }
    const large = await service.ask('POST', '/sites', { name: 'x'.repeat(20_000) });
    expect(large).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
    expect(await service.records.sites.list()).toEqual([]);
  });

  test('adds a site whose key admits its pages, and no others', async () => {
    await using service = await startAdminService();
    const { site, live, secret } = await addSite(service);
    await expect.poll(() => isLetIn(service, live.text)).toBe(true);
    await expect(Visitor.arrive(service.app, { site: live.text, origin: 'https://evil.example' })).rejects.toThrow();
    expect(secret.text).toMatch(/^sk_live_/);
    expect(JSON.stringify((await service.ask('GET', `/sites/${site.id}`)).body)).not.toContain(secret.text);
  });

  test('rotates a key with an overlap, and revokes one at once with the reason', async () => {
    await using service = await startAdminService();
    const { site, live } = await addSite(service);
    await expect.poll(() => isLetIn(service, live.text)).toBe(true);
    const rotated = await service.ask('POST', `/sites/${site.id}/keys/rotation`, {
      kind: 'publishable',
      mode: 'live',
      overlapMs: DAY_MS,
    });
    expect(rotated.status).toBe(201);
    await expect.poll(() => isLetIn(service, rotated.body.text)).toBe(true);
    const visitor = await arrive(service, live.text);
    await service.ask('DELETE', `/keys/${live.id}`);
    expect(await visitor.next('session:refused')).toMatchObject({ code: 'key_revoked' });
    expect(await isLetIn(service, live.text)).toBe(false);
    expect(await isLetIn(service, rotated.body.text)).toBe(true);
  });

  test('revokes a secret key, and closes only the connections of visitors it signed for', async () => {
    await using service = await startAdminService();
    const { site, live, secret } = await addSite(service);
    const other = await service.ask('POST', `/sites/${site.id}/keys`, { kind: 'secret', mode: 'live' });
    await expect.poll(() => isLetIn(service, live.text)).toBe(true);
    const signedWith = (key: string) =>
      new SignJWT({}).setProtectedHeader({ alg: 'EdDSA' }).setExpirationTime('5m').sign(claimsPrivateKeyOf(key));
    const arriveWith = async (key: string) =>
      Visitor.arrive(service.app, { site: live.text, auth: { claims: await signedWith(key) } });
    const [spokenFor, byOther, unknown] = await Promise.all([
      arriveWith(secret.text),
      // The node hears of this key after the site.
      vi.waitFor(() => arriveWith(other.body.text), { timeout: 60_000, interval: 100 }),
      arrive(service, live.text),
    ]);
    await service.ask('DELETE', `/keys/${secret.id}`);
    expect(await spokenFor.next('session:refused')).toMatchObject({ code: 'key_revoked' });
    await expect(arriveWith(secret.text)).rejects.toMatchObject({ data: { code: 'claims_refused' } });
    for (const visitor of [byOther, unknown]) {
      expect(await visitor.find()).toMatchObject({ ok: true });
      expect(visitor.all('session:refused')).toEqual([]);
    }
  });

  test('changes origins and settings, disables a site and enables it', async () => {
    await using service = await startAdminService();
    const { site, live } = await addSite(service);
    const at = `/sites/${site.id}`;
    await service.ask('POST', `${at}/origins`, { origin: 'https://*.shop.example' });
    const gone = await service.ask('DELETE', `${at}/origins?origin=${encodeURIComponent(ORIGIN)}`);
    expect(gone.body.origins).toEqual(['https://*.shop.example']);
    await expect.poll(() => isLetIn(service, live.text)).toBe(false);
    await service.ask('POST', `${at}/origins`, { origin: ORIGIN });
    await service.ask('PUT', `${at}/settings`, { interests: ['maps'] });
    // Refused until the node has heard of the origin: then it is asked again.
    await expect
      .poll(async () => (await arrive(service, live.text).catch(() => null))?.ready.policy.interests, {
        timeout: 60_000,
      })
      .toEqual(['maps']);
    expect((await service.ask('PATCH', at, { isDisabled: true, name: 'Shut' })).body).toMatchObject({
      name: 'Shut',
      isDisabled: true,
    });
    await expect.poll(() => isLetIn(service, live.text)).toBe(false);
    expect((await service.ask('PATCH', at, {})).status).toBe(400);
    expect((await service.ask('GET', '/sites/site_nowhere')).status).toBe(404);
  });

  test('refuses control characters in records', async () => {
    await using service = await startAdminService();
    const { site } = await addSite(service);
    for (const [method, path] of [
      ['GET', '/reports?after=%00'],
      ['GET', '/audit?after=%00'],
      ['GET', '/reports/%00'],
      ['POST', '/reports/%00/resolution'],
      ['DELETE', '/keys/%00'],
      ['DELETE', '/bans/%00'],
      ['DELETE', `/sites/${site.id}/origins?origin=%00`],
    ] as const) {
      const body = method === 'POST' ? { resolution: 'seen' } : undefined;
      expect(await service.ask(method, path, body), path).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    }
    const ban = { site: site.id, kind: 'ban_id', value: 'u-1', reason: 'thr\0eats', forMs: null };
    expect((await service.ask('POST', '/bans', ban)).body).toMatchObject({ reason: 'threats' });
    expect((await service.ask('POST', '/bans', { ...ban, value: 'u\0' })).status).toBe(400);
    expect((await service.ask('PATCH', `/sites/${site.id}`, { name: 'Sh\0op' })).body).toMatchObject({ name: 'Shop' });
  });

  test('shows a site with unreadable settings, and can disable it, rename it and replace them', async () => {
    await using service = await startAdminService();
    const { site } = await addSite(service);
    const other = await addSite(service);
    await service.records.sites.setPolicy(site.id, '{"inactivityMs":"a while"}');
    const { status, body } = await service.ask('GET', '/sites');
    expect(status).toBe(200);
    expect(body.items).toMatchObject([
      { id: site.id, settings: null },
      { id: other.site.id, settings: other.site.settings },
    ]);
    const shut = await service.ask('PATCH', `/sites/${site.id}`, { isDisabled: true, name: 'Shut' });
    expect(shut).toMatchObject({ status: 200, body: { isDisabled: true, name: 'Shut', settings: null } });
    const set = await service.ask('PUT', `/sites/${site.id}/settings`, { inactivityMs: 60_000 });
    expect(set).toMatchObject({ status: 200, body: { settings: { inactivityMs: 60_000 } } });
  });

  test('lists reports, resolves them and deletes their messages; bans their subject, and lifts the ban', async () => {
    await using service = await startAdminService();
    const { live } = await addSite(service, { history: 'reports' });
    await expect.poll(() => isLetIn(service, live.text)).toBe(true);
    const a = await arrive(service, live.text, '203.0.113.1');
    const b = await arrive(service, live.text, '203.0.113.2');
    await a.find();
    await b.find();
    const { conversationId } = await a.next('conversation:started');
    await a.ask('conversation:report', {
      conversationId,
      reason: 'threat',
      comment: 'says he knows where I live',
      messages: [{ from: 'peer', text: 'I know where you live' }],
    });
    const listed = await service.ask('GET', '/reports?status=open');
    const [report] = listed.body.items;
    expect(report).toMatchObject({ reason: 'threat', messages: [{ text: 'I know where you live' }] });

    const forever = await service.ask('POST', `/reports/${report.id}/ban`, { kind: 'address', forMs: null });
    expect(forever).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    const ban = await service.ask('POST', `/reports/${report.id}/ban`, { kind: 'address', forMs: 60_000 });
    expect(ban).toMatchObject({ status: 201, body: { actor: 'operator', value: report.reportedAddress } });
    expect(await b.next('session:refused')).toMatchObject({ code: 'banned' });
    expect(await a.next('conversation:ended')).toMatchObject({ reason: 'peer_left' });
    await expect(arrive(service, live.text, '203.0.113.2')).rejects.toMatchObject({ data: { code: 'banned' } });

    const resolved = await service.ask('POST', `/reports/${report.id}/resolution`, {
      resolution: 'banned for a minute',
    });
    expect(resolved.body).toMatchObject({ status: 'resolved', comment: null, messages: null });
    expect((await service.ask('GET', '/reports?status=open')).body.items).toEqual([]);

    expect((await service.ask('DELETE', `/bans/${ban.body.id}`)).status).toBe(200);
    await expect
      .poll(
        () =>
          arrive(service, live.text, '203.0.113.2').then(
            () => true,
            () => false,
          ),
        { timeout: 60_000 },
      )
      .toBe(true);
    const audit = await service.ask('GET', '/audit');
    const actions = audit.body.items.map(({ action }: { action: string }) => action);
    expect(actions).toEqual(expect.arrayContaining(['site.add', 'key.add', 'ban.add', 'report.resolve', 'ban.lift']));
  });

  test('bans for ten years at most: a longer ban is refused without an effect', async () => {
    await using service = await startAdminService();
    const { site, live } = await addSite(service);
    const ban = { site: site.id, kind: 'ban_id', value: 'u-1', reason: 'threats' };
    const endless = await service.ask('POST', '/bans', { ...ban, forMs: Number.MAX_SAFE_INTEGER });
    expect(endless).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect(endless.body.title).toContain('forMs');
    expect((await service.ask('GET', '/bans')).body.items).toEqual([]);
    const long = await service.ask('POST', '/bans', { ...ban, forMs: 10 * 365 * DAY_MS });
    expect(long.status).toBe(201);
    expect((await service.ask('GET', '/bans')).body.items).toEqual([long.body]);
    await expect.poll(() => isLetIn(service, live.text)).toBe(true);
  });

  test('bans in both modes of a site and on the built-in one, and refuses an unknown site', async () => {
    await using service = await startAdminService();
    const { site } = await addSite(service);
    const banOn = async (side: string) => {
      const ban = { site: side, kind: 'ban_id', value: 'u-1', reason: 'threats', forMs: null };
      return (await service.ask('POST', '/bans', ban)).status;
    };
    for (const side of [site.id, `${site.id}_test`, 'site_demo']) expect(await banOn(side), side).toBe(201);
    for (const side of ['site_nowhere', 'site_nowhere_test']) expect(await banOn(side), side).toBe(404);
  });

  test('bans by the address of a report while its hash is valid, and refuses it afterwards', async () => {
    const now = Date.UTC(2026, 10, 22, 12);
    await using kept = await tempRecords(() => now);
    const desk = new ModerationService(kept.records, () => now);
    const reportAt = async (createdAt: number) => {
      const { report } = await kept.records.reports.add({
        site: 'site_shop' as SiteId,
        conversationId: `c_${createdAt}` as ConversationId,
        reason: 'threat',
        comment: null,
        messages: null,
        reporter: 'one' as AddressHash,
        reportedAddress: 'other' as AddressHash,
        reportedBanId: 'u-1',
        reporterNetwork: null,
        reportedNetworks: [],
        counts: true,
        createdAt,
      });
      return report.id;
    };
    const yesterday = await reportAt(Date.UTC(2026, 10, 21));
    expect(await desk.banReported(yesterday, 'address', 60_000)).toMatchObject({ value: 'other' });
    const before = await reportAt(Date.UTC(2026, 10, 21) - 1);
    await expect(desk.banReported(before, 'address', 60_000)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('address') as string,
    });
    expect(await desk.banReported(before, 'ban_id', null)).toMatchObject({ value: 'u-1' });
  });

  test('has a document with every operation, its parameters and its answers', async () => {
    await using service = await startAdminService();
    const { status, body } = await service.ask('GET', '/openapi.json', undefined, { Authorization: '' });
    expect(status).toBe(200);
    expect(body.openapi).toBe('3.1.0');
    const operations = Object.entries<Record<string, Record<string, unknown>>>(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    const mounted = service.app.routes.filter((route) => route.includes('/admin/v1/') && !route.startsWith('HEAD'));
    expect(
      operations.map(({ method, path }) => `${method.toUpperCase()} /admin/v1${path.replace(/\{(\w+)\}/g, ':$1')}`),
    ).toEqual(mounted.filter((route) => !route.endsWith('/openapi.json')));
    const page = await readFile(new URL('../../../docs/operations/operators-api.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `([A-Z]+ \/[^`]*)`/gm)].map(([, operation]) => operation);
    expect(listed.sort()).toEqual(operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort());
    for (const { path, operation } of operations) {
      expect(operation['operationId'], path).toBeTypeOf('string');
      expect(operation['responses'], path).toHaveProperty('default');
    }
    expect(JSON.stringify(body)).not.toContain(OPERATOR_TOKEN);
    await until(() => service.log.lines.every(({ level }) => level !== 'error'), 'nothing failed');
  });
});
