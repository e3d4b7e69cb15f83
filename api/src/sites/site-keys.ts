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

/** Longer than anyone guesses: 24 of 62 characters are 142 bits. */
const PUBLISHABLE_CHARS = 24;
/** 43 characters once written. */
const SECRET_BYTES = 32;
/** Number of characters of a secret key that are shown afterwards, to tell it from others: its first and last characters. */
const HINT = { first: 12, last: 4 } as const;

const BASE_62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SECRET_KEY = /^sk_(live|test)_[A-Za-z0-9_-]{43}$/;
/** Bytes before the 32 bytes of an Ed25519 private key in its PKCS #8 form: RFC 8410, section 7. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key just made. */
export interface IssuedKey {
  readonly kind: KeyKind;
  readonly mode: KeyMode;
  /** The key as its owner uses it. Of a secret key nobody keeps it: this is the one time it is there. */
  readonly text: string;
  /** Value that is stored: a publishable key as it is, of a secret one the public half of what it signs with. */
  readonly value: string;
  readonly hint: string;
}

/** Makes a key: `pk_live_…`, `pk_test_…`, `sk_live_…` or `sk_test_…`. */
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

/** Private key with which a secret key signs claims: an Ed25519 key whose seed is SHA-256 of `passerby-claims:` and the key. */
export function claimsPrivateKeyOf(secretKey: string): KeyObject {
  const seed = createHash('sha256').update(`passerby-claims:${secretKey}`).digest();
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

/** Public key with which claims of a secret key are verified, and all that is kept of it: base64url of 32 bytes. */
export function claimsPublicKeyOf(secretKey: string): string {
  return createPublicKey(claimsPrivateKeyOf(secretKey)).export({ format: 'jwk' }).x!;
}

/** Returns whether somebody presents the secret key that `publicKey` was derived from. Takes as long for a wrong one. */
export function isSecretKeyOf(presented: string, publicKey: string): boolean {
  if (!SECRET_KEY.test(presented)) return false;
  const derived = Buffer.from(claimsPublicKeyOf(presented));
  const kept = Buffer.from(publicKey);
  return derived.length === kept.length && timingSafeEqual(derived, kept);
}
