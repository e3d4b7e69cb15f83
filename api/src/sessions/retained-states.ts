import { isProofIdle, type ProofState } from '../admission/proof-of-work.ts';
import type { MonotonicClock } from '../clock.ts';
import type { SessionId } from '../domain/ids.ts';
import type { Metrics } from '../observability/metrics.ts';
import { FrameLimiter } from '../rate-limiting/frame-limiter.ts';
import { type QuotaRefusals, quotaRefusals, SessionRateLimiter } from '../rate-limiting/session-rate-limiter.ts';

/** Interval at which states that equal new ones are dropped. Milliseconds. */
const SWEEP_MS = 60_000;

/** State of a session that outlives its connection: reconnecting neither refills a quota nor voids a proof. */
export interface RetainedState {
  readonly limiter: SessionRateLimiter;
  readonly frames: FrameLimiter;
  readonly proof: ProofState;
}

/**
 * States of sessions without a connection to this node, in its memory; a connected session holds its own. On another
 * node a session starts with a new one.
 */
export class RetainedStates {
  readonly #clock: MonotonicClock;
  readonly #factor: number;
  readonly #refusals: QuotaRefusals;
  readonly #states = new Map<SessionId, RetainedState>();
  #sweptAt: number;

  /** `factor` multiplies the quotas. */
  constructor(parts: { readonly clock: MonotonicClock; readonly factor: number; readonly metrics: Metrics }) {
    this.#clock = parts.clock;
    this.#factor = parts.factor;
    this.#refusals = quotaRefusals(parts.metrics);
    this.#sweptAt = parts.clock();
  }

  /** Removes and returns the state of a session that connects; a new one if there is none. */
  take(sessionId: SessionId): RetainedState {
    const known = this.#states.get(sessionId);
    if (known === undefined) return this.create();
    this.#states.delete(sessionId);
    return known;
  }

  /** Keeps the state of a session whose connection ended, until it equals a new one. */
  keep(sessionId: SessionId, state: RetainedState): void {
    const now = this.#clock();
    this.#sweep(now);
    if (!isLikeNew(state, now)) this.#states.set(sessionId, state);
  }

  /** Creates the state of a new session. */
  create(): RetainedState {
    const limiter = this.createLimiter();
    return {
      limiter,
      frames: new FrameLimiter({ limiter, clock: this.#clock }),
      proof: { challenge: null, provenAt: null },
    };
  }

  /** Creates the limiter of a connection that has no session yet. */
  createLimiter(): SessionRateLimiter {
    return new SessionRateLimiter({ clock: this.#clock, factor: this.#factor, refusals: this.#refusals });
  }

  /** Number of states in memory. */
  get size(): number {
    return this.#states.size;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const [sessionId, state] of this.#states) if (isLikeNew(state, now)) this.#states.delete(sessionId);
  }
}

const isLikeNew = ({ limiter, proof }: RetainedState, now: number) => limiter.isFull(now) && isProofIdle(proof, now);
