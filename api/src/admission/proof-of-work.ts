import { randomBytes, randomInt } from 'node:crypto';
import type { Challenge, RequestReply } from '@passerby/sdk/protocol';
import { createChallenge, verifySolution, type Challenge as AltchaChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { z } from 'zod';
import type { Clock, MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Guard } from '../sites/site.ts';
import type { PressureLevel } from './pressure.ts';

/**
 * Key derivation of a challenge: native in every browser, and slow enough (about 1 ms on a desktop, 3 ms on a phone)
 * that the calls around it are negligible. Creating a challenge costs the service one derivation, checking a solution
 * none.
 */
const ALGORITHM = 'PBKDF2/SHA-256';
const COST = 4_000;
/**
 * Maximum number of derivations for a solution, by level; half of it on average, which is about a second on a phone,
 * then twice and four times that. Counters start at 0, where clients start: with a minimum above 0 a client could start
 * there and skip the rest.
 */
export const TRIES_MAX: Readonly<Record<PressureLevel, number>> = { 0: 600, 1: 1_200, 2: 2_400 };
/** Validity of a challenge. Milliseconds. */
export const CHALLENGE_MS = 5 * 60_000;
/** Time without a search after which a new proof is required. Milliseconds. */
export const PROVEN_MS = 2 * 60 * 60_000;

/** Schema of a submitted payload. Only its solution is used, and checked against the stored challenge. */
const handedIn = z.object({
  solution: z.object({ counter: z.int(), derivedKey: z.string() }),
});

/** Challenge that was given to a session and not answered yet. */
interface OpenChallenge {
  readonly challenge: AltchaChallenge;
  /** By the monotonic clock. */
  readonly validUntil: number;
}

/** Challenge and proof of one session. */
export interface ProofState {
  challenge: OpenChallenge | null;
  /** Time of the last search with the proof, by the monotonic clock; `null` without a proof. */
  provenAt: number | null;
}

/** Returns the time until which something in a state is valid, by the monotonic clock. */
export function proofValidUntil({ challenge, provenAt }: ProofState): number {
  return Math.max(challenge?.validUntil ?? -Infinity, provenAt === null ? -Infinity : provenAt + PROVEN_MS);
}

const isProven = (provenAt: number | null, now: number) => provenAt !== null && provenAt + PROVEN_MS > now;

/**
 * Proof-of-work challenges, which cost a visitor's computer about a second. Each is for one session, in this process's
 * memory, and valid once: a visitor who resumes on another node requests another one.
 */
export class ProofOfWork {
  readonly #dates: Clock;
  readonly #clock: MonotonicClock;
  readonly #metrics: Metrics;
  readonly #secrets = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')] as const;

  /** `dates` gives the visitor the expiry of a challenge; `clock` decides it. */
  constructor(dates: Clock, clock: MonotonicClock, metrics: Metrics) {
    this.#dates = dates;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Admits a search of the session, or requires a proof. @throws Refusal `proof_needed`. */
  require(state: ProofState, rule: Guard['proofOfWork'], level: PressureLevel): void {
    const now = this.#clock();
    if (isProven(state.provenAt, now)) {
      state.provenAt = now;
      return;
    }
    const isNeeded = rule === 'always' || (rule === 'under_pressure' && level > 0);
    if (!isNeeded) return;
    this.#metrics.count('passerby_incidents_total', { kind: 'proof_needed' });
    throw new Refusal('proof_needed');
  }

  /** Creates a challenge for a session; an earlier one becomes void. */
  async challenge(state: ProofState, level: PressureLevel): Promise<RequestReply<'session:challenge'>> {
    const now = this.#clock();
    const challenge = await createChallenge({
      algorithm: ALGORITHM,
      cost: COST,
      counter: counterFor(level),
      deriveKey,
      hmacSignatureSecret: this.#secrets[0],
      hmacKeySignatureSecret: this.#secrets[1],
    });
    state.challenge = { challenge, validUntil: now + CHALLENGE_MS };
    return { challenge: onTheWire(challenge, Math.ceil((this.#dates() + CHALLENGE_MS) / 1_000)) };
  }

  /**
   * Checks a solution; right or wrong, the challenge is used up. @throws Refusal `proof_needed`, `bad_request` for a
   * malformed one.
   */
  async prove(state: ProofState, solution: string): Promise<RequestReply<'session:prove'>> {
    const payload = handedIn.safeParse(decoded(solution));
    if (!payload.success) throw new Refusal('bad_request');
    const open = state.challenge;
    state.challenge = null;
    if (open === null || open.validUntil <= this.#clock() || !(await this.#isSolved(open, payload.data)))
      throw new Refusal('proof_needed');
    state.provenAt = this.#clock();
    this.#metrics.count('passerby_incidents_total', { kind: 'proof_given' });
    return { status: 'proven' };
  }

  async #isSolved({ challenge }: OpenChallenge, { solution }: z.output<typeof handedIn>): Promise<boolean> {
    const [hmacSignatureSecret, hmacKeySignatureSecret] = this.#secrets;
    const { verified } = await verifySolution({
      challenge,
      solution,
      deriveKey,
      hmacSignatureSecret,
      hmacKeySignatureSecret,
    });
    return verified;
  }
}

/** Returns a counter for a new challenge, uniformly distributed from 0 to below `TRIES_MAX`. */
export function counterFor(level: PressureLevel): number {
  return randomInt(TRIES_MAX[level]);
}

/**
 * Converts a challenge for the wire: without the signed solution, which only the service needs, and with an expiry in
 * Unix seconds. The library is not given the expiry: it would compare it with the wall clock, and a step of that would
 * void a challenge.
 */
function onTheWire({ parameters, signature = '' }: AltchaChallenge, expiresAt: number): Challenge {
  const { algorithm, nonce, salt, cost, keyLength, keyPrefix } = parameters;
  return { parameters: { algorithm, nonce, salt, cost, keyLength, keyPrefix, expiresAt }, signature };
}

function decoded(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString());
  } catch {
    return undefined; // no JSON: the schema says so
  }
}
