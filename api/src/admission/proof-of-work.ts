import { randomBytes, randomInt } from 'node:crypto';
import type { Challenge, RequestReply } from '@passerby/sdk/protocol';
import { createChallenge, verifySolution, type Challenge as AltchaChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { z } from 'zod';
import type { Clock, MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { Tally } from '../observability/tally.ts';
import type { Guard } from '../sites/site.ts';
import type { SessionId } from '../domain/ids.ts';
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

interface Open {
  readonly challenge: AltchaChallenge;
  readonly goodUntil: number;
}

/**
 * Proof-of-work challenges, which cost a visitor's computer about a second. Each is for one session, in this process's
 * memory, and valid once: a visitor who resumes on another node requests another one.
 */
export class ProofOfWork {
  readonly #dates: Clock;
  readonly #clock: MonotonicClock;
  readonly #tally: Tally;
  readonly #secrets = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')] as const;
  /** Open challenges by session, oldest first. */
  readonly #open = new Map<SessionId, Open>();
  /** Time of the last search of each session with a proof, oldest first. */
  readonly #proven = new Map<SessionId, number>();

  /** `dates` gives the visitor the expiry of a challenge; `clock` decides it. */
  constructor(dates: Clock, clock: MonotonicClock, tally: Tally) {
    this.#dates = dates;
    this.#clock = clock;
    this.#tally = tally;
  }

  /** Admits a search of the session, or requires a proof. @throws Refusal `proof_needed`. */
  require(sessionId: SessionId, rule: Guard['proofOfWork'], level: PressureLevel): void {
    const isNeeded = rule === 'always' || (rule === 'under_pressure' && level > 0);
    if (this.#hasProven(sessionId) || !isNeeded) return;
    this.#tally.count('proof_needed');
    throw new Refusal('proof_needed');
  }

  /** Creates a challenge for a session; an earlier one becomes void. */
  async challenge(sessionId: SessionId, level: PressureLevel): Promise<RequestReply<'session:challenge'>> {
    const now = this.#clock();
    this.#forgetOld(now);
    const challenge = await createChallenge({
      algorithm: ALGORITHM,
      cost: COST,
      counter: counterFor(level),
      deriveKey,
      hmacSignatureSecret: this.#secrets[0],
      hmacKeySignatureSecret: this.#secrets[1],
    });
    this.#open.delete(sessionId);
    this.#open.set(sessionId, { challenge, goodUntil: now + CHALLENGE_MS });
    return { challenge: onTheWire(challenge, Math.ceil((this.#dates() + CHALLENGE_MS) / 1_000)) };
  }

  /**
   * Checks a solution; right or wrong, the challenge is used up. @throws Refusal `proof_needed`, `bad_request` for a
   * malformed one.
   */
  async prove(sessionId: SessionId, solution: string): Promise<RequestReply<'session:prove'>> {
    const payload = handedIn.safeParse(decoded(solution));
    if (!payload.success) throw new Refusal('bad_request');
    const open = this.#open.get(sessionId);
    this.#open.delete(sessionId);
    if (open === undefined || open.goodUntil <= this.#clock() || !(await this.#isSolved(open, payload.data)))
      throw new Refusal('proof_needed');
    this.#proven.delete(sessionId);
    this.#proven.set(sessionId, this.#clock());
    this.#tally.count('proof_given');
    return { status: 'proven' };
  }

  /** Number of entries in memory, for tests of leaks. */
  get size(): number {
    return this.#open.size + this.#proven.size;
  }

  async #isSolved({ challenge }: Open, { solution }: z.output<typeof handedIn>): Promise<boolean> {
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

  #hasProven(sessionId: SessionId): boolean {
    const now = this.#clock();
    this.#forgetOld(now);
    if (!this.#proven.delete(sessionId)) return false;
    this.#proven.set(sessionId, now);
    return true;
  }

  #forgetOld(now: number): void {
    for (const [id, { goodUntil }] of this.#open) {
      if (goodUntil > now) break;
      this.#open.delete(id);
    }
    for (const [id, usedAt] of this.#proven) {
      if (usedAt + PROVEN_MS > now) break;
      this.#proven.delete(id);
    }
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
