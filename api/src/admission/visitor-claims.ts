import { LIMITS } from '@passerby/sdk/protocol';
import { errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { exactText } from '../contract/text.ts';
import type { Clock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import { AGE_BAND } from '../sites/settings.ts';
import type { Site } from '../sites/site.ts';
import type { ClaimKeys } from './claim-keys.ts';

/** Verified claims of a site about one of its visitors. They do not identify the person. */
export interface VerifiedClaims {
  /** Age band, one of the policy's if that has any. */
  readonly ageBand: string | null;
  /** Language as a BCP 47 tag, for a visitor who names none. */
  readonly locale: string | null;
  /** Site's own identifier of a person for bans: 1 to 64 characters, no name and no address. */
  readonly banId: string | null;
  /** The one of the site's `claimKeys` that verified the signature. */
  readonly signedWith: string | null;
}

export const NO_CLAIMS: VerifiedClaims = { ageBand: null, locale: null, banId: null, signedWith: null };

/** Maximum lifetime of claims, from now to `exp`. Seconds. */
const VALID_MAX_S = 24 * 60 * 60;
/** Tolerance between the clocks of a site and of the service. Seconds. */
const SKEW_S = 30;
const ALGORITHM = 'EdDSA';
/** Length of an Ed25519 signature, 64 bytes, as base64url. */
const SIGNATURE_CHARS = 86;

/** Schema of the payload. Strict, so that nobody sends a name or a user id by accident: `sub` and the like are refused. */
const claimsSchema = z.strictObject({
  exp: z.int(),
  iat: z.int().optional(),
  ageBand: exactText().regex(AGE_BAND).min(1).max(LIMITS.ageBandMaxChars).optional(),
  locale: exactText().min(2).max(LIMITS.languageMaxChars).optional(),
  banId: exactText().min(1).max(64).optional(),
});

/** Schema of a JWT header, as far as it is checked here: jose refuses unknown `crit` fields. */
const headSchema = z.looseObject({ alg: z.literal(ALGORITHM) });

/**
 * Verifies the claims of a site about a visitor: a JWT (EdDSA) signed with one of the site's secret keys. The signature
 * is verified last, and only for a token with an acceptable header and payload.
 * @throws Refusal `claims_refused` if it is missing and the site requires one, expired, not signed with a key of the
 *   site, or has an invalid payload.
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

/** Returns the payload of a token before its signature is verified; `null` if it is unacceptable in any case. */
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
