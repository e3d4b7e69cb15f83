import { type ProofState, proofValidUntil } from '../admission/proof-of-work.ts';
import type { MonotonicClock } from '../clock.ts';
import type { SessionId } from '../domain/ids.ts';
import type { Metrics } from '../observability/metrics.ts';
import { FrameLimiter } from '../rate-limiting/frame-limiter.ts';
import { type QuotaRefusals, quotaRefusals, SessionRateLimiter } from '../rate-limiting/session-rate-limiter.ts';

/** Interval at which states that equal new ones are looked for. Milliseconds. */
const SWEEP_MS = 60_000;

/** State of a session that outlives its connection: reconnecting neither refills a quota nor voids a proof. */
export interface RetainedState {
  readonly limiter: SessionRateLimiter;
  readonly frames: FrameLimiter;
  readonly proof: ProofState;
}

interface Kept {
  readonly state: RetainedState;
  /** Time before which the state does not equal a new one, nor its limiter. */
  readonly dueAt: number;
}

/**
 * States of sessions without a connection to this node, in its memory; a connected session holds its own. On another
 * node a session starts with a new one.
 */
export class RetainedStates {
  readonly #clock: MonotonicClock;
  readonly #factor: number;
  readonly #refusals: QuotaRefusals;
  readonly #states = new Map<SessionId, Kept>();
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
    return known.state;
  }

  /** Keeps the state of a session whose connection ended, until it equals a new one. */
  keep(sessionId: SessionId, state: RetainedState): void {
    this.#put(sessionId, state, this.#clock());
  }

  /** Creates the state of a session whose quotas are full. */
  create(proof: ProofState = { challenge: null, provenAt: null }): RetainedState {
    const limiter = this.createLimiter();
    return { limiter, frames: new FrameLimiter({ limiter, clock: this.#clock }), proof };
  }

  /** Creates the limiter of a connection that has no session yet. */
  createLimiter(): SessionRateLimiter {
    return new SessionRateLimiter({ clock: this.#clock, factor: this.#factor, refusals: this.#refusals });
  }

  /** Number of states in memory. */
  get size(): number {
    return this.#states.size;
  }

  /**
   * Drops what equals a new state, at most once in `SWEEP_MS`. A proof outlives the quotas by far: only states that are due are
   * looked at, and each is seldom.
   */
  sweep(): void {
    const now = this.#clock();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const [sessionId, { state, dueAt }] of this.#states) if (dueAt <= now) this.#put(sessionId, state, now);
  }

  /** Keeps as much of a state as differs from a new one. */
  #put(sessionId: SessionId, state: RetainedState, now: number): void {
    const fullInMs = state.limiter.msUntilFull(now);
    const validUntil = proofValidUntil(state.proof);
    if (fullInMs > 0) this.#states.set(sessionId, { state, dueAt: now + fullInMs });
    else if (validUntil > now) this.#states.set(sessionId, { state: this.create(state.proof), dueAt: validUntil });
    else this.#states.delete(sessionId);
  }
}
