import { LIMITS } from '@passerby/sdk/protocol';
import { errors, importJWK, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';
import { exactText } from '../contract/text.ts';
import type { Clock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import { AGE_BAND } from '../sites/settings.ts';
import type { Site } from '../sites/site.ts';

/** What a site may say about one of its visitors. Who they are is not among it. */
export interface Claims {
  /** One of the policy's, if that has any. */
  readonly ageBand: string | null;
  /** A BCP 47 tag; the language of who names none. */
  readonly locale: string | null;
  /** The site's own word for somebody it may want to shut out: 1 to 64 characters, no name and no address. */
  readonly banId: string | null;
  /** Which of the site's `claimKeys` it was signed with. */
  readonly signedWith: string | null;
}

export const NO_CLAIMS: Claims = { ageBand: null, locale: null, banId: null, signedWith: null };

/** How far ahead `exp` may be: what is said of a visitor is not good for longer. Seconds. */
const VALID_MAX_S = 24 * 60 * 60;
/** How much the clocks of a site and of the service may differ. Seconds. */
const SKEW_S = 30;

/** Strict, so that nobody sends a name or a user's number by accident: `sub` and the like are refused. */
const claimsSchema = z.strictObject({
  exp: z.int(),
  iat: z.int().optional(),
  ageBand: exactText().regex(AGE_BAND).min(1).max(LIMITS.ageBandMaxChars).optional(),
  locale: exactText().min(2).max(LIMITS.languageMaxChars).optional(),
  banId: exactText().min(1).max(64).optional(),
});

/**
 * Reads what a site says about a visitor: a JWT (EdDSA) by one of the site's secret keys.
 * @throws Refusal `claims_refused` if there is none and the site needs one, if it is out of date or by
 *   nobody of the site, or says what it may not.
 */
export async function readClaims(token: string | undefined, site: Site, clock: Clock): Promise<Claims> {
  if (token === undefined) {
    if (site.guard.isClaimsNeeded) throw new Refusal('claims_refused');
    return NO_CLAIMS;
  }
  const nowS = clock() / 1_000;
  const { payload, signedWith } = await verified(token, site.guard.claimKeys, nowS);
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw new Refusal('claims_refused');
  const { exp, ageBand = null, locale = null, banId = null } = parsed.data;
  const { ageBands } = site.policy;
  const isBandKnown = ageBand === null || ageBands.length === 0 || ageBands.includes(ageBand);
  if (exp > nowS + VALID_MAX_S + SKEW_S || !isBandKnown) throw new Refusal('claims_refused');
  return { ageBand, locale, banId, signedWith };
}

async function verified(
  token: string,
  publicKeys: readonly string[],
  nowS: number,
): Promise<{ readonly payload: JWTPayload; readonly signedWith: string }> {
  for (const x of publicKeys) {
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA');
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['EdDSA'],
        currentDate: new Date(nowS * 1_000),
        clockTolerance: SKEW_S,
      });
      return { payload, signedWith: x };
    } catch (thrown) {
      if (thrown instanceof errors.JWSSignatureVerificationFailed) continue;
      if (thrown instanceof errors.JOSEError) throw new Refusal('claims_refused', { cause: thrown });
      throw thrown;
    }
  }
  throw new Refusal('claims_refused');
}
