import { LIMITS } from '@passerby/sdk/protocol';
import { errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { exactText } from '../contract/text.ts';
import type { Clock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import { AGE_BAND } from '../sites/settings.ts';
import type { Site } from '../sites/site.ts';
import type { ClaimKeys } from './claim-keys.ts';

/** Claims of a site about one of its visitors. Who they are is not among them. */
export interface VerifiedClaims {
  /** One of the policy's, if that has any. */
  readonly ageBand: string | null;
  /** A BCP 47 tag; the language of who names none. */
  readonly locale: string | null;
  /** The site's own word for somebody it may want to shut out: 1 to 64 characters, no name and no address. */
  readonly banId: string | null;
  /** Which of the site's `claimKeys` it was signed with. */
  readonly signedWith: string | null;
}

export const NO_CLAIMS: VerifiedClaims = { ageBand: null, locale: null, banId: null, signedWith: null };

/** Maximum lifetime of claims: how far ahead `exp` may be. Seconds. */
const VALID_MAX_S = 24 * 60 * 60;
/** Tolerance between the clocks of a site and of the service. Seconds. */
const SKEW_S = 30;
const ALGORITHM = 'EdDSA';
/** An Ed25519 signature, 64 bytes, as base64url. */
const SIGNATURE_CHARS = 86;

/** Strict, so that nobody sends a name or a user's number by accident: `sub` and the like are refused. */
const claimsSchema = z.strictObject({
  exp: z.int(),
  iat: z.int().optional(),
  ageBand: exactText().regex(AGE_BAND).min(1).max(LIMITS.ageBandMaxChars).optional(),
  locale: exactText().min(2).max(LIMITS.languageMaxChars).optional(),
  banId: exactText().min(1).max(64).optional(),
});

/** Header of a JWT, as far as it is looked at here: jose refuses `crit` fields that it does not know. */
const headSchema = z.looseObject({ alg: z.literal(ALGORITHM) });

/**
 * Reads what a site says about a visitor: a JWT (EdDSA) by one of the site's secret keys. The signature is
 * checked last, and only for a token whose header and payload are acceptable.
 * @throws Refusal `claims_refused` if there is none and the site needs one, if it is out of date or by
 *   nobody of the site, or says what it may not.
 */
export async function verifyClaims(
  token: string | undefined,
  site: Site,
  clock: Clock,
  keys: ClaimKeys,
): Promise<VerifiedClaims> {
  if (token === undefined) {
    if (site.guard.isClaimsNeeded) throw new Refusal('claims_refused');
    return NO_CLAIMS;
  }
  const nowS = clock() / 1_000;
  const said = unsigned(token);
  if (said === null || !isNow(said.exp, nowS)) throw new Refusal('claims_refused');
  const { ageBand = null, locale = null, banId = null } = said;
  const { ageBands } = site.policy;
  const isBandKnown = ageBand === null || ageBands.length === 0 || ageBands.includes(ageBand);
  if (!isBandKnown) throw new Refusal('claims_refused');
  const signedWith = await signerOf(token, site.guard.claimKeys, nowS, keys);
  return { ageBand, locale, banId, signedWith };
}

/** Returns the payload of a token whose signature is not checked yet; `null` if it is unacceptable in any case. */
function unsigned(token: string): z.output<typeof claimsSchema> | null {
  const [head = '', payload = '', signature, ...more] = token.split('.');
  if (signature?.length !== SIGNATURE_CHARS || more.length > 0) return null;
  if (!headSchema.safeParse(decoded(head)).success) return null;
  const parsed = claimsSchema.safeParse(decoded(payload));
  return parsed.success ? parsed.data : null;
}

function decoded(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined; // no JSON: the schema says so
  }
}

const isNow = (exp: number, nowS: number) => exp > nowS - SKEW_S && exp <= nowS + VALID_MAX_S + SKEW_S;

async function signerOf(token: string, publicKeys: readonly string[], nowS: number, keys: ClaimKeys): Promise<string> {
  for (const x of publicKeys) {
    const key = await keys.find(x);
    try {
      await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        currentDate: new Date(nowS * 1_000),
        clockTolerance: SKEW_S,
      });
      return x;
    } catch (thrown) {
      if (thrown instanceof errors.JWSSignatureVerificationFailed) continue;
      if (thrown instanceof errors.JOSEError) throw new Refusal('claims_refused', { cause: thrown });
      throw thrown;
    }
  }
  throw new Refusal('claims_refused');
}
