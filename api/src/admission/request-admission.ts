import type { RequestReply } from '@passerby/sdk/protocol';
import type { Clock, MonotonicClock } from '../clock.ts';
import type { SessionAdmission } from './session-admission.ts';
import type { Load } from '../rate-limiting/event-loop-load.ts';
import type { RateLimitSubject, RateLimiter } from '../rate-limiting/rate-limiter.ts';
import type { SessionRateLimiter } from '../rate-limiting/session-rate-limiter.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { Site } from '../sites/site.ts';
import type { SessionRef } from '../domain/session.ts';
import { type PressureLevel, pressureOn } from './pressure.ts';
import { ProofOfWork, type ProofState } from './proof-of-work.ts';
import type { SpamDetector } from '../moderation/spam-detector.ts';

/** Session of a visitor who sends a request. */
interface AskingSession {
  readonly ref: SessionRef;
  readonly visitor: Visitor;
  readonly retained: { readonly limiter: SessionRateLimiter; readonly proof: ProofState };
}

/** Sender of a request, and their site; `undefined` if it was removed. */
interface Asker {
  readonly session: AskingSession;
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
    readonly metrics: Metrics;
    readonly spam: Pick<SpamDetector, 'isSuspect'>;
  }) {
    this.#limiter = parts.limiter;
    this.#sessionAdmission = parts.sessionAdmission;
    this.#load = parts.load;
    this.#shedFromMs = parts.shedFromMs;
    this.#proof = new ProofOfWork(parts.dates, parts.clock, parts.metrics);
    this.#spam = parts.spam;
  }

  /**
   * Admits a search synchronously, so that a `match:cancel` right after it stays second. @throws Refusal
   * `rate_limited`, `proof_needed`.
   */
  admitSearch({ session, site }: Asker): void {
    const { limiter, proof } = session.retained;
    limiter.consume('searches');
    const rule = site?.guard.proofOfWork ?? 'never';
    this.#proof.require(proof, rule, this.#pressureOn(session));
    this.#limiter.consumeInBackground('searches', subjectOf(session));
  }

  /** @throws Refusal `rate_limited`. */
  async admitReport({ session }: Asker): Promise<void> {
    session.retained.limiter.consume('reports');
    await this.#limiter.consume('reports', subjectOf(session));
  }

  /** @throws Refusal `rate_limited`. */
  async challenge({ session }: Asker): Promise<RequestReply<'session:challenge'>> {
    const { limiter, proof } = session.retained;
    limiter.consume('challenges');
    await this.#limiter.consume('challenges', subjectOf(session));
    return this.#proof.challenge(proof, this.#pressureOn(session));
  }

  /** @throws Refusal `proof_needed`, `bad_request`. */
  prove({ session }: Asker, solution: string): Promise<RequestReply<'session:prove'>> {
    return this.#proof.prove(session.retained.proof, solution);
  }

  #pressureOn({ ref, visitor }: AskingSession): PressureLevel {
    return pressureOn(ref.site, visitor.addresses[0], {
      delayShare: () => this.#load.delayMs() / this.#shedFromMs,
      usedShare: (id) => this.#sessionAdmission.usedShare(id),
      isSuspect: (id, from) => this.#spam.isSuspect(id, from),
    });
  }
}

const subjectOf = ({ ref, visitor }: AskingSession): RateLimitSubject => ({
  site: ref.site,
  address: visitor.addresses[0],
});
