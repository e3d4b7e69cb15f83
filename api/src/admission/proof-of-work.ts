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
 * Native in every browser, and slow enough (about 1 ms on a desktop, 3 ms on a phone) that the calls around
 * it weigh nothing. Making a challenge costs us one derivation, checking a solution none.
 */
const ALGORITHM = 'PBKDF2/SHA-256';
const COST = 4_000;
/**
 * Maximum number of derivations for a solution, by level; half of it on average, which is about a second on a phone, then
 * twice and four times that. Counters begin at 0, where clients begin: with a minimum above 0 a client could begin there and
 * leave out the rest.
 */
export const TRIES_MAX: Readonly<Record<PressureLevel, number>> = { 0: 600, 1: 1_200, 2: 2_400 };
/** Time for which a challenge is good. Milliseconds. */
export const CHALLENGE_MS = 5 * 60_000;
/** Time without a search after which a proof is asked for again. Milliseconds. */
export const PROVEN_MS = 2 * 60 * 60_000;

/** Of what comes back only the solution counts: it is held against the challenge that was made. */
const handedIn = z.object({
  solution: z.object({ counter: z.int(), derivedKey: z.string() }),
});

interface Open {
  readonly challenge: AltchaChallenge;
  readonly goodUntil: number;
}

/**
 * Challenges that cost a visitor's computer a moment. Each is made for one session, kept in this process's
 * memory, and good once: whoever comes back on another node asks for another one.
 */
export class ProofOfWork {
  readonly #dates: Clock;
  readonly #clock: MonotonicClock;
  readonly #tally: Tally;
  readonly #secrets = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')] as const;
  /** By session, oldest first. */
  readonly #open = new Map<SessionId, Open>();
  /** When each session last looked for somebody, oldest first. */
  readonly #proven = new Map<SessionId, number>();

  /** `dates` only tells the visitor until when a challenge is good; `clock` decides it. */
  constructor(dates: Clock, clock: MonotonicClock, tally: Tally) {
    this.#dates = dates;
    this.#clock = clock;
    this.#tally = tally;
  }

  /** Lets the session look for somebody. @throws Refusal `proof_needed`. */
  require(sessionId: SessionId, rule: Guard['proofOfWork'], level: PressureLevel): void {
    const isNeeded = rule === 'always' || (rule === 'under_pressure' && level > 0);
    if (this.#hasProven(sessionId) || !isNeeded) return;
    this.#tally.count('proof_needed');
    throw new Refusal('proof_needed');
  }

  /** A new challenge for this session; one before it is void. */
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

  /** Takes a solution, right or wrong: the challenge is spent. @throws Refusal `proof_needed`, `bad_request` for what is none. */
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

  /** Number of sessions that are kept in mind, for the tests that show nothing is left behind. */
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

/** Returns a counter for a new challenge: any from 0 to below `TRIES_MAX`, each equally likely. */
export function counterFor(level: PressureLevel): number {
  return randomInt(TRIES_MAX[level]);
}

/**
 * Without the signed solution, which only we need. With an end in Unix seconds, which the library is not given: it
 * would compare it with the machine's clock, and a step of that would void a challenge.
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
