import type { Frame, RequestReply } from '@passerby/sdk/protocol';
import type { Clock, MonotonicClock } from '../clock.ts';
import type { SessionAdmission } from './session-admission.ts';
import type { Load } from '../rate-limiting/event-loop-load.ts';
import type { RateLimitSubject, RateLimiter } from '../rate-limiting/rate-limiter.ts';
import type { Tally } from '../observability/tally.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { SessionRef } from '../domain/session.ts';
import { type PressureLevel, pressureOn } from './pressure.ts';
import { ProofOfWork } from './proof-of-work.ts';
import { type OnSpam, SpamDetector } from '../moderation/spam-detector.ts';

/** What a visitor passes before a search, a report and a challenge: limits, and a proof of work where one is asked for. */
export class RequestAdmission {
  readonly #sites: SiteDirectory;
  readonly #limiter: RateLimiter;
  readonly #arrivals: SessionAdmission;
  readonly #load: Load;
  readonly #proof: ProofOfWork;
  readonly #texts: SpamDetector;

  constructor(parts: {
    readonly sites: SiteDirectory;
    readonly limiter: RateLimiter;
    readonly arrivals: SessionAdmission;
    readonly load: Load;
    readonly dates: Clock;
    readonly clock: MonotonicClock;
    readonly tally: Tally;
    readonly onSpam: OnSpam;
  }) {
    this.#sites = parts.sites;
    this.#limiter = parts.limiter;
    this.#arrivals = parts.arrivals;
    this.#load = parts.load;
    this.#proof = new ProofOfWork(parts.dates, parts.clock, parts.tally);
    this.#texts = new SpamDetector(parts.clock, parts.onSpam);
  }

  /** In the turn in which the search came, so that a `match:cancel` right behind it comes second. @throws Refusal `rate_limited`, `proof_needed`. */
  admitSearch(session: SessionRef, visitor: Visitor): void {
    this.#limiter.consumeOfSession('searches', session.sessionId);
    const rule = this.#sites.byId(session.site)?.guard.proofOfWork ?? 'never';
    this.#proof.require(session.sessionId, rule, this.#pressureOn(session, visitor));
    this.#limiter.consumeInBackground('searches', doerOf(session, visitor));
  }

  /** @throws Refusal `rate_limited`. */
  async admitReport(session: SessionRef, visitor: Visitor): Promise<void> {
    this.#limiter.consumeOfSession('reports', session.sessionId);
    await this.#limiter.consume('reports', doerOf(session, visitor));
  }

  /** @throws Refusal `rate_limited`. */
  async challenge(session: SessionRef, visitor: Visitor): Promise<RequestReply<'session:challenge'>> {
    this.#limiter.consumeOfSession('challenges', session.sessionId);
    await this.#limiter.consume('challenges', doerOf(session, visitor));
    return this.#proof.challenge(session.sessionId, this.#pressureOn(session, visitor));
  }

  /** @throws Refusal `proof_needed`, `bad_request`. */
  prove({ sessionId }: SessionRef, solution: string): Promise<RequestReply<'session:prove'>> {
    return this.#proof.prove(sessionId, solution);
  }

  /** A frame of this visitor reached the conversation they are in. */
  recordFrame(session: SessionRef, frame: Frame, visitor: Visitor): void {
    this.#texts.record(session.site, visitor.addresses[0], frame);
  }

  #pressureOn({ site }: SessionRef, { addresses: [address] }: Visitor): PressureLevel {
    return pressureOn(site, address, {
      delayMs: () => this.#load.delayMs(),
      usedShare: (id) => this.#arrivals.usedShare(id),
      isSuspect: (id, from) => this.#texts.isSuspect(id, from),
    });
  }
}

const doerOf = ({ site }: SessionRef, { addresses: [address] }: Visitor): RateLimitSubject => ({ site, address });
