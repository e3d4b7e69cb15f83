import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  randomInt,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import type { KeyKind, KeyMode } from '../records/column-values.ts';

/** Random characters of a publishable key: 24 of 62 are 142 bits, too many to guess. */
const PUBLISHABLE_CHARS = 24;
/** Random bytes of a secret key: 43 characters as text. */
const SECRET_BYTES = 32;
/** Number of characters of a secret key that are shown afterwards, to tell it from others: its first and last characters. */
const HINT = { first: 12, last: 4 } as const;

const BASE_62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SECRET_KEY = /^sk_(live|test)_[A-Za-z0-9_-]{43}$/;
/** Prefix of the 32 bytes of an Ed25519 private key in PKCS #8 form: RFC 8410, section 7. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Newly issued key. */
export interface IssuedKey {
  readonly kind: KeyKind;
  readonly mode: KeyMode;
  /** Key as its owner uses it. A secret key is not stored: its text exists here only. */
  readonly text: string;
  /** Stored value: a publishable key itself, of a secret one the public key of its signatures. */
  readonly value: string;
  readonly hint: string;
}

/** Issues a key: `pk_live_…`, `pk_test_…`, `sk_live_…` or `sk_test_…`. */
export function issueKey(kind: KeyKind, mode: KeyMode): IssuedKey {
  if (kind === 'publishable') {
    const random = Array.from({ length: PUBLISHABLE_CHARS }, () => BASE_62[randomInt(BASE_62.length)]).join('');
    const text = `pk_${mode}_${random}`;
    return { kind, mode, text, value: text, hint: text };
  }
  const text = `sk_${mode}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const hint = `${text.slice(0, HINT.first)}…${text.slice(-HINT.last)}`;
  return { kind, mode, text, value: claimsPublicKeyOf(text), hint };
}

/**
 * Derives the private key with which a secret key signs claims: an Ed25519 key whose seed is SHA-256 of
 * `passerby-claims:` and the key.
 */
export function claimsPrivateKeyOf(secretKey: string): KeyObject {
  const seed = createHash('sha256').update(`passerby-claims:${secretKey}`).digest();
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

/**
 * Derives the public key that verifies claims of a secret key, the only part of it that is stored: base64url of 32
 * bytes.
 */
export function claimsPublicKeyOf(secretKey: string): string {
  return createPublicKey(claimsPrivateKeyOf(secretKey)).export({ format: 'jwk' }).x!;
}

/** Returns whether `presented` is the secret key that `publicKey` was derived from. Takes constant time. */
export function isSecretKeyOf(presented: string, publicKey: string): boolean {
  if (!SECRET_KEY.test(presented)) return false;
  const derived = Buffer.from(claimsPublicKeyOf(presented));
  const kept = Buffer.from(publicKey);
  return derived.length === kept.length && timingSafeEqual(derived, kept);
}
