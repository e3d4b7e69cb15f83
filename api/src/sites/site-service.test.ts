import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempRecords } from '../../test/temp-records.ts';
import type { AuditRecords, NewAuditEntry } from '../records/audit.ts';
import type { Records } from '../records/records.ts';
import type { SiteId } from '../domain/ids.ts';
import { isSecretKeyOf } from './site-keys.ts';
import { GOOD_KEYS_MAX, SiteService } from './site-service.ts';

const DAY_MS = 24 * 3_600_000;

async function fresh() {
  let now = 1_800_000_000_000;
  const temp = await tempRecords(() => now);
  const service = new SiteService({ records: temp.records, clock: () => now, actor: 'cli' });
  return {
    ...temp,
    service,
    pass: (ms: number) => (now += ms),
    audited: async () => (await temp.records.audit.list({ max: 100 })).items.map(({ action }) => action),
  };
}

const shop = { id: 'site_shop', name: 'Shop', origins: ['https://shop.example'] };
const SHOP = 'site_shop' as SiteId;

describe('SiteService', () => {
  test('a new site has a publishable key for each mode, a secret one for live, and default settings', async () => {
    await using the = await fresh();
    const { site, keys } = await the.service.add(shop);
    expect(site).toMatchObject({ ...shop, isDisabled: false, settings: { isFreeInterests: true } });
    expect(keys.map(({ text }) => text.slice(0, 8))).toEqual(['pk_live_', 'pk_test_', 'sk_live_']);
    expect(site.keys).toEqual(keys.map(({ text: _, ...key }) => key));
    expect(site.keys.every(({ isGood }) => isGood)).toBe(true);
    expect(await the.service.get(SHOP)).toEqual(site);
    expect(await the.service.list()).toEqual([site]);
    expect(await the.audited()).toEqual(['site.add', 'key.add', 'key.add', 'key.add']);
  });

  test('a site without an id gets a generated one', async () => {
    await using the = await fresh();
    const [a, b] = [await the.service.add({ name: 'A' }), await the.service.add({ name: 'B' })];
    expect(a.site.id).toMatch(/^site_[0-9a-f]{18}$/);
    expect(a.site.id).not.toBe(b.site.id);
    expect(a.site.origins).toEqual([]);
  });

  test.each([
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(101) }],
    ['id', { name: 'Shop', id: 'shop' }],
    ['id', { name: 'Shop', id: 'site_shop_test' }],
    ['id', { name: 'Shop', id: 'site_demo' }],
    ['origins.1', { name: 'Shop', origins: ['https://shop.example', 'shop.example'] }],
    ['settings.ageBands', { name: 'Shop', settings: { ageBands: ['1', '1'] } }],
    ['colour', { name: 'Shop', colour: 'red' } as { name: string }],
  ])('a fault of a new site names its field: %s', async (field, input) => {
    await using the = await fresh();
    await expect(the.service.add(input)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(field) as string,
    });
    expect(await the.service.list()).toEqual([]);
  });

  test('a site can be added once', async () => {
    await using the = await fresh();
    await the.service.add(shop);
    await expect(the.service.add(shop)).rejects.toMatchObject({ code: 'already_exists' });
  });

  test('a site is renamed, disabled and enabled; a repetition is not written', async () => {
    await using the = await fresh();
    await the.service.add(shop);
    expect(await the.service.rename(SHOP, ' Market ')).toMatchObject({ name: 'Market' });
    expect(await the.service.disable(SHOP)).toMatchObject({ isDisabled: true });
    await the.service.disable(SHOP);
    expect(await the.service.enable(SHOP)).toMatchObject({ isDisabled: false });
    expect((await the.audited()).slice(4)).toEqual(['site.rename', 'site.disable', 'site.enable']);
  });

  test('origins are added and removed verbatim', async () => {
    await using the = await fresh();
    await the.service.add(shop);
    const both = ['https://shop.example', 'https://*.shop.example'];
    expect((await the.service.addOrigin(SHOP, both[1]!)).origins).toEqual(both);
    await expect(the.service.addOrigin(SHOP, both[1]!)).rejects.toMatchObject({ code: 'already_exists' });
    await expect(the.service.addOrigin(SHOP, '*')).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('origin') as string,
    });
    expect((await the.service.removeOrigin(SHOP, both[0]!)).origins).toEqual([both[1]]);
    await expect(the.service.removeOrigin(SHOP, both[0]!)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('S31 an origin over a public suffix is refused wherever one is written', async () => {
    await using the = await fresh();
    await the.service.add(shop);
    const refused = {
      code: 'bad_request',
      message: expect.stringContaining('anybody can have a name under') as string,
    };
    await expect(the.service.addOrigin(SHOP, 'https://*.github.io')).rejects.toMatchObject(refused);
    await expect(the.service.add({ name: 'Other', origins: ['https://*.co.uk'] })).rejects.toMatchObject(refused);
    expect((await the.service.get(SHOP)).origins).toEqual(shop.origins);
  });

  test('a new name and disabling are one change', async () => {
    await using the = await fresh();
    await the.service.add(shop);
    const { records } = the;
    /** Records whose audit trail accepts the first entry of a change and fails at the second. */
    const failing: Records = {
      ...records,
      change: (work) =>
        records.change((stores) => {
          const { audit } = stores;
          let entries = 0;
          const add = (entry: NewAuditEntry) => (++entries > 1 ? Promise.reject(new Error('full')) : audit.add(entry));
          return work({ ...stores, audit: Object.assign(Object.create(audit) as AuditRecords, { add }) });
        }),
    };
    const service = new SiteService({ records: failing, clock: () => 1, actor: 'cli' });
    await expect(service.set(SHOP, { name: 'Shut', isDisabled: true })).rejects.toThrow('full');
    expect(await the.service.get(SHOP)).toMatchObject({ name: 'Shop', isDisabled: false });
    const both = await the.service.set(SHOP, { name: 'Shut', isDisabled: true });
    expect(both).toMatchObject({ name: 'Shut', isDisabled: true });
  });

  test('settings are replaced as a whole, and refused with the field', async () => {
    await using the = await fresh();
    await the.service.add({ ...shop, settings: { hasLinks: false } });
    expect((await the.service.setPolicy(SHOP, { isFreeInterests: false })).settings).toMatchObject({
      hasLinks: true,
      isFreeInterests: false,
    });
    await expect(the.service.setPolicy(SHOP, { inactivityMs: 'long' })).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('inactivityMs') as string,
    });
    expect((await the.service.get(SHOP)).settings).toMatchObject({ isFreeInterests: false });
  });

  test('a rotated key is valid until the overlap is over, and the new one stays', async () => {
    await using the = await fresh();
    await the.service.add(shop);
    const next = await the.service.rotateKey(SHOP, 'publishable', 'live', DAY_MS);
    const isGood = async () =>
      (await the.service.get(SHOP)).keys
        .filter(({ kind, mode }) => kind === 'publishable' && mode === 'live')
        .map((key) => key.isGood);
    expect(await isGood()).toEqual([true, true]);
    the.pass(DAY_MS);
    expect(await isGood()).toEqual([false, true]);
    expect((await the.service.get(SHOP)).keys.at(-1)!.id).toBe(next.id);
    expect((await the.service.get(SHOP)).keys.filter((key) => key.isGood)).toHaveLength(3);
  });

  test('a rotation does not restore a revoked key, and does not extend another one', async () => {
    await using the = await fresh();
    const { keys } = await the.service.add(shop);
    await the.service.revokeKey(keys[0]!.id);
    await the.service.rotateKey(SHOP, 'publishable', 'live', DAY_MS);
    const second = await the.service.rotateKey(SHOP, 'publishable', 'live', 0);
    const live = (await the.service.get(SHOP)).keys.filter((key) => key.isGood && key.mode === 'live');
    expect(live.map(({ id }) => id)).toEqual([keys[2]!.id, second.id]);
  });

  test('S29 the number of valid keys of one kind and mode is limited to that checked for claims', async () => {
    await using the = await fresh();
    await the.service.add(shop);
    for (let count = 1; count < GOOD_KEYS_MAX; count++) await the.service.addKey(SHOP, 'secret', 'live');
    const full = { code: 'bad_request', message: expect.stringContaining('at most 10 valid keys') as string };
    await expect(the.service.addKey(SHOP, 'secret', 'live')).rejects.toMatchObject(full);
    await expect(the.service.rotateKey(SHOP, 'secret', 'live', DAY_MS)).rejects.toMatchObject(full);
    expect((await the.service.get(SHOP)).keys.filter(({ kind }) => kind === 'secret')).toHaveLength(GOOD_KEYS_MAX);
    // Others have a number of their own, and who needs a new one at once gets it.
    await the.service.addKey(SHOP, 'secret', 'test');
    await the.service.rotateKey(SHOP, 'secret', 'live', 0);
  });

  test('a revoked key stays invalid', async () => {
    await using the = await fresh();
    const { keys } = await the.service.add(shop);
    const revoked = await the.service.revokeKey(keys[0]!.id);
    expect(revoked).toMatchObject({ isGood: false });
    the.pass(1);
    expect(await the.service.revokeKey(keys[0]!.id)).toEqual(revoked);
    expect((await the.audited()).filter((action) => action === 'key.revoke')).toHaveLength(1);
  });

  test('requests for an unknown site or key are refused', async () => {
    await using the = await fresh();
    const { service } = the;
    for (const asked of [
      service.get(SHOP),
      service.rename(SHOP, 'New'),
      service.disable(SHOP),
      service.setPolicy(SHOP, {}),
      service.addOrigin(SHOP, 'https://new.example'),
      service.addKey(SHOP, 'secret', 'test'),
      service.rotateKey(SHOP, 'secret', 'test', 0),
      service.revokeKey('key_none'),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'not_found' });
    }
    expect(await the.audited()).toEqual([]);
  });

  test('only the ends of a secret key are in the database, and its public half verifies it', async () => {
    await using the = await fresh();
    await the.service.add(shop);
    const { id, text } = await the.service.addKey(SHOP, 'secret', 'test');
    const { value, hint } = (await the.records.keys.get(id))!;
    expect(isSecretKeyOf(text, value)).toBe(true);
    const files = readdirSync(the.folder).map((name) => readFileSync(join(the.folder, name)));
    const holds = (part: string) => files.some((bytes) => bytes.includes(part));
    expect(holds(hint)).toBe(true);
    for (let at = 'sk_test_'.length; at + 6 <= text.length; at++) expect(holds(text.slice(at, at + 6))).toBe(false);
  });
});
