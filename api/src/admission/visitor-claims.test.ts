import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { siteOf } from '../../test/harness.ts';
import type { Site } from '../sites/site.ts';
import { ClaimKeys } from './claim-keys.ts';
import { verifyClaims } from './visitor-claims.ts';

const NOW = Date.UTC(2026, 10, 22);
const clock = () => NOW;
const keys = new ClaimKeys();
const HOUR_S = 3_600;

interface Signer {
  readonly privateKey: CryptoKey;
  readonly publicKey: string;
}
async function signer(): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return { privateKey, publicKey: (await exportJWK(publicKey)).x! };
}

let own: Signer;
let former: Signer;
let other: Signer;
beforeAll(async () => {
  [own, former, other] = await Promise.all([signer(), signer(), signer()]);
});

const siteWith = (guard: Partial<Site['guard']> = {}, policy: Partial<Site['policy']> = {}): Site => {
  const site = siteOf('pk_live_claims', undefined, policy);
  return { ...site, guard: { ...site.guard, claimKeys: [former.publicKey, own.publicKey], ...guard } };
};
const sign = (claims: Record<string, unknown>, { privateKey } = own, header: Record<string, string> = {}) =>
  new SignJWT({ exp: NOW / 1_000 + HOUR_S, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', ...header })
    .sign(privateKey);
const REFUSED = { code: 'claims_refused' };

describe('claims about a visitor', () => {
  test('are accepted if a key of the site signed them', async () => {
    const claims = { ageBand: '18+', locale: 'pt', banId: 'u-1' };
    expect(await verifyClaims(await sign(claims), siteWith(), clock, keys)).toEqual({
      ...claims,
      signedWith: own.publicKey,
    });
    expect(await verifyClaims(await sign({ locale: 'de' }, former), siteWith(), clock, keys)).toEqual({
      ageBand: null,
      locale: 'de',
      banId: null,
      signedWith: former.publicKey,
    });
  });

  test('may be missing, unless the site requires them', async () => {
    const nothing = { ageBand: null, locale: null, banId: null, signedWith: null };
    expect(await verifyClaims(undefined, siteWith(), clock, keys)).toEqual(nothing);
    await expect(verifyClaims(undefined, siteWith({ isClaimsNeeded: true }), clock, keys)).rejects.toMatchObject(
      REFUSED,
    );
  });

  test.each([
    ['signed by another site', () => sign({}, other)],
    ['signed by nobody', async () => `${(await sign({})).split('.').slice(0, 2).join('.')}.`],
    [
      'with the signature of something else',
      async () => {
        const [head, , signature] = (await sign({ ageBand: '18+' })).split('.');
        const body = Buffer.from(JSON.stringify({ exp: NOW / 1_000 + HOUR_S, ageBand: '13-17' })).toString('base64url');
        return `${head}.${body}.${signature}`;
      },
    ],
    [
      'under "alg": "none"',
      async () => {
        const head = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
        return `${head}.${(await sign({})).split('.')[1]}.`;
      },
    ],
    [
      'keyed with the public key, as HS256',
      () =>
        new SignJWT({ exp: NOW / 1_000 + HOUR_S })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(Buffer.from(own.publicKey, 'base64url')),
    ],
    ['out of date', () => sign({ exp: NOW / 1_000 - HOUR_S })],
    ['without an end', () => sign({ exp: undefined })],
    ['good for longer than a day', () => sign({ exp: NOW / 1_000 + 48 * HOUR_S })],
    ['that names the visitor', () => sign({ sub: 'user-7' })],
    ['with a word nobody knows', () => sign({ isAdmin: true })],
    ['with a ban id that is too long', () => sign({ banId: 'x'.repeat(65) })],
    ['with a control character in a ban id', () => sign({ banId: 'u\0' })],
    ['with an age band that could be a band and an interest', () => sign({ ageBand: '18+|jazz' })],
    ['that is no JWT', () => Promise.resolve('claims')],
    ['that is empty parts', () => Promise.resolve('..')],
  ] as const)('is refused %s', async (_, make) => {
    await expect(verifyClaims(await make(), siteWith(), clock, keys)).rejects.toMatchObject(REFUSED);
  });

  test('is refused on a site without a secret key', async () => {
    await expect(verifyClaims(await sign({}), siteWith({ claimKeys: [] }), clock, keys)).rejects.toMatchObject(REFUSED);
  });

  test('names an age band the site has, where it has any', async () => {
    const site = siteWith({}, { ageBands: ['13-17', '18+'] });
    expect(await verifyClaims(await sign({ ageBand: '13-17' }), site, clock, keys)).toMatchObject({ ageBand: '13-17' });
    await expect(verifyClaims(await sign({ ageBand: 'adult' }), site, clock, keys)).rejects.toMatchObject(REFUSED);
  });
});

describe('S29 a signature is checked last', () => {
  const elsewhere = async () => (await sign({}, other)).split('.') as [string, string, string];
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = NOW / 1_000 + HOUR_S;

  test.each<[string, () => Promise<string> | string]>([
    ['is no JWT', () => 'claims'],
    ['has four parts', async () => `${(await elsewhere()).join('.')}.x`],
    ['has a signature of another length', async () => `${(await elsewhere()).join('.')}AA`],
    ['has another algorithm', async () => [part({ alg: 'ES256' }), ...(await elsewhere()).slice(1)].join('.')],
    ['has a head that is no JSON', async () => ['e30x', ...(await elsewhere()).slice(1)].join('.')],
    ['is out of date', async () => (await elsewhere()).with(1, part({ exp: NOW / 1_000 - HOUR_S })).join('.')],
    ['is good for too long', async () => (await elsewhere()).with(1, part({ exp: exp + 48 * HOUR_S })).join('.')],
    ['names the visitor', async () => (await elsewhere()).with(1, part({ exp, sub: 'user-7' })).join('.')],
    ['has a band there is none of', async () => (await elsewhere()).with(1, part({ exp, ageBand: '99' })).join('.')],
  ])('are refused if the claim %s', async (_, make) => {
    const found: string[] = [];
    const none = { find: (x: string) => (found.push(x), keys.find(x)) } as ClaimKeys;
    const site = siteWith({}, { ageBands: ['18+'] });
    await expect(verifyClaims(await make(), site, clock, none)).rejects.toMatchObject(REFUSED);
    expect(found).toEqual([]);
    await expect(verifyClaims(await sign({}, other), site, clock, none)).rejects.toMatchObject(REFUSED);
    expect(found).toEqual([former.publicKey, own.publicKey]);
  });

  test('are verified with keys that are imported once', async () => {
    const kept = new ClaimKeys();
    const key = await kept.find(own.publicKey);
    expect(await kept.find(own.publicKey)).toBe(key);
    for (let count = 0; count < 5; count++) await verifyClaims(await sign({}), siteWith(), clock, kept);
    expect(kept.size).toBe(2);
  });

  test('are verified with a bounded cache of the latest keys', async () => {
    const kept = new ClaimKeys(2);
    const first = await kept.find(own.publicKey);
    await kept.find(former.publicKey);
    expect(await kept.find(own.publicKey)).toBe(first);
    await kept.find(other.publicKey);
    expect(kept.size).toBe(2);
    expect(await kept.find(own.publicKey)).toBe(first);
  });
});
