import type { RequestReply } from '@passerby/sdk/protocol';
import type { Clock, MonotonicClock } from '../clock.ts';
import type { SessionAdmission } from './session-admission.ts';
import type { Load } from '../rate-limiting/event-loop-load.ts';
import type { RateLimitSubject, RateLimiter } from '../rate-limiting/rate-limiter.ts';
import type { Tally } from '../observability/tally.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { Site } from '../sites/site.ts';
import type { SessionRef } from '../domain/session.ts';
import { type PressureLevel, pressureOn } from './pressure.ts';
import { ProofOfWork } from './proof-of-work.ts';
import type { SpamDetector } from '../moderation/spam-detector.ts';

/** Sender of a request, and their site; `undefined` if it was removed. */
interface Asker {
  readonly session: SessionRef;
  readonly visitor: Visitor;
  readonly site: Site | undefined;
}

/** Admits searches, reports and challenges: by rate limits, and a proof of work where required. */
export class RequestAdmission {
  readonly #limiter: RateLimiter;
  readonly #sessionAdmission: SessionAdmission;
  readonly #load: Load;
  readonly #shedFromMs: number;
  readonly #proof: ProofOfWork;
  readonly #spam: Pick<SpamDetector, 'isSuspect'>;

  constructor(parts: {
    readonly limiter: RateLimiter;
    readonly sessionAdmission: SessionAdmission;
    readonly load: Load;
    /** Delay of the event loop from which new sessions are shed. Milliseconds. */
    readonly shedFromMs: number;
    readonly dates: Clock;
    readonly clock: MonotonicClock;
    readonly tally: Tally;
    readonly spam: Pick<SpamDetector, 'isSuspect'>;
  }) {
    this.#limiter = parts.limiter;
    this.#sessionAdmission = parts.sessionAdmission;
    this.#load = parts.load;
    this.#shedFromMs = parts.shedFromMs;
    this.#proof = new ProofOfWork(parts.dates, parts.clock, parts.tally);
    this.#spam = parts.spam;
  }

  /**
   * Admits a search synchronously, so that a `match:cancel` right after it stays second. @throws Refusal
   * `rate_limited`, `proof_needed`.
   */
  admitSearch({ session, visitor, site }: Asker): void {
    this.#limiter.consumeOfSession('searches', session.sessionId);
    const rule = site?.guard.proofOfWork ?? 'never';
    this.#proof.require(session.sessionId, rule, this.#pressureOn(session, visitor));
    this.#limiter.consumeInBackground('searches', subjectOf(session, visitor));
  }

  /** @throws Refusal `rate_limited`. */
  async admitReport(session: SessionRef, visitor: Visitor): Promise<void> {
    this.#limiter.consumeOfSession('reports', session.sessionId);
    await this.#limiter.consume('reports', subjectOf(session, visitor));
  }

  /** @throws Refusal `rate_limited`. */
  async challenge({ session, visitor }: Asker): Promise<RequestReply<'session:challenge'>> {
    this.#limiter.consumeOfSession('challenges', session.sessionId);
    await this.#limiter.consume('challenges', subjectOf(session, visitor));
    return this.#proof.challenge(session.sessionId, this.#pressureOn(session, visitor));
  }

  /** @throws Refusal `proof_needed`, `bad_request`. */
  prove({ sessionId }: SessionRef, solution: string): Promise<RequestReply<'session:prove'>> {
    return this.#proof.prove(sessionId, solution);
  }

  #pressureOn({ site }: SessionRef, { addresses: [address] }: Visitor): PressureLevel {
    return pressureOn(site, address, {
      delayShare: () => this.#load.delayMs() / this.#shedFromMs,
      usedShare: (id) => this.#sessionAdmission.usedShare(id),
      isSuspect: (id, from) => this.#spam.isSuspect(id, from),
    });
  }
}

const subjectOf = ({ site }: SessionRef, { addresses: [address] }: Visitor): RateLimitSubject => ({ site, address });
