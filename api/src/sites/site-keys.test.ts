import { createPublicKey, sign, verify } from 'node:crypto';
import { ID_PATTERN } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { claimsPrivateKeyOf, claimsPublicKeyOf, isSecretKeyOf, issueKey } from './site-keys.ts';

describe('issueKey', () => {
  test.each(['live', 'test'] as const)('creates a valid publishable %s key', (mode) => {
    const key = issueKey('publishable', mode);
    expect(key.text).toMatch(new RegExp(`^pk_${mode}_[A-Za-z0-9]{24}$`));
    expect(key.text).toMatch(ID_PATTERN.siteKey);
    expect(key).toMatchObject({ value: key.text, hint: key.text });
  });

  test.each(['live', 'test'] as const)('creates a secret %s key with a hint of its ends', (mode) => {
    const { text, value, hint } = issueKey('secret', mode);
    expect(text).toMatch(new RegExp(`^sk_${mode}_[A-Za-z0-9_-]{43}$`));
    expect(hint).toBe(`${text.slice(0, 12)}…${text.slice(-4)}`);
    expect(Buffer.from(value, 'base64url')).toHaveLength(32);
    expect(text).not.toContain(value);
  });

  test('creates a new one each time', () => {
    const made = Array.from({ length: 50 }, () => [
      issueKey('publishable', 'live').text,
      issueKey('secret', 'live').text,
    ]);
    expect(new Set(made.flat()).size).toBe(100);
  });
});

describe('secret key', () => {
  // Fixed, because sites derive the same in their own code: SHA-256, then Ed25519 (RFC 8032).
  const SECRET = `sk_live_${'A'.repeat(43)}`;

  test('always derives the same signing key', () => {
    expect(claimsPublicKeyOf(SECRET)).toBe(claimsPublicKeyOf(SECRET));
    expect(claimsPublicKeyOf(SECRET)).not.toBe(claimsPublicKeyOf(`sk_test_${'A'.repeat(43)}`));
  });

  test('signs what its public half verifies', () => {
    const signed = sign(null, Buffer.from('claims'), claimsPrivateKeyOf(SECRET));
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: claimsPublicKeyOf(SECRET) };
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    expect(verify(null, Buffer.from('claims'), publicKey, signed)).toBe(true);
    expect(verify(null, Buffer.from('other'), publicKey, signed)).toBe(false);
  });

  test('is identified by its public half alone', () => {
    const { text, value } = issueKey('secret', 'live');
    expect(isSecretKeyOf(text, value)).toBe(true);
    expect(isSecretKeyOf(issueKey('secret', 'live').text, value)).toBe(false);
    expect(isSecretKeyOf(value, value)).toBe(false);
    expect(isSecretKeyOf(text, 'short')).toBe(false);
    expect(isSecretKeyOf('', value)).toBe(false);
  });
});
