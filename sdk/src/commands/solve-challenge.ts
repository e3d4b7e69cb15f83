import { solveChallenge as solveAltcha } from 'altcha-lib';
import { deriveKey as deriveByPbkdf2 } from 'altcha-lib/algorithms/web/pbkdf2';
import { deriveKey as deriveBySha } from 'altcha-lib/algorithms/web/sha';
import type { Challenge as AltchaChallenge } from 'altcha-lib/types';
import { asItIs } from '../internal/as-it-is.ts';
import type { Challenge } from '../protocol/index.ts';

/**
 * The solution as the service wants it, an ALTCHA payload in base64; `null` once stopped, or after a minute
 * and a half. The page can be used meanwhile, and must have Web Crypto.
 */
export async function solveChallenge(
  { parameters, signature }: Challenge,
  stop: AbortController,
): Promise<string | null> {
  const challenge = { parameters, signature } as unknown as AltchaChallenge;
  const deriveKey = challenge.parameters.algorithm.startsWith('PBKDF2/') ? deriveByPbkdf2 : deriveBySha;
  const solution = await solveAltcha({ challenge, deriveKey, controller: stop });
  return solution && btoa(JSON.stringify({ challenge, solution }, asItIs()));
}
