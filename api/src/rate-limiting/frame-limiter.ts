import type { MonotonicClock } from '../clock.ts';
import type { Tally } from '../observability/tally.ts';
import type { SessionId } from '../domain/ids.ts';
import type { SessionRateLimiter } from './session-rate-limiter.ts';

/**
 * Number of frames that a client resends at once after it was throttled: all unacknowledged ones (`windowFrames` of the
 * SDK).
 */
const RESENT_FRAMES = 32;

/** Tells a visitor to resend after that time. Milliseconds. */
export type TellThrottled = (sessionId: SessionId, retryAfterMs: number) => void;

/**
 * Limits the frames of a session. A sender of too many messages is told once, and until the time it was told all are
 * dropped: then there is quota for all its unacknowledged ones, in order. Unnumbered frames may be lost, and are
 * dropped silently.
 */
export class FrameLimiter {
  readonly #sessionLimiter: SessionRateLimiter;
  readonly #tally: Tally;
  readonly #clock: MonotonicClock;
  readonly #tell: TellThrottled;
  readonly #closedUntil = new Map<SessionId, number>();

  constructor(sessionLimiter: SessionRateLimiter, tally: Tally, clock: MonotonicClock, tell: TellThrottled) {
    this.#sessionLimiter = sessionLimiter;
    this.#tally = tally;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Returns whether this frame may be passed on. */
  admits(sessionId: SessionId, isNumbered: boolean): boolean {
    if (!isNumbered) return this.#tryConsume('frames', sessionId);
    const now = this.#clock();
    if ((this.#closedUntil.get(sessionId) ?? 0) > now) {
      this.#tally.count('limited_messages_session');
      return false;
    }
    if (this.#tryConsume('frames', sessionId) && this.#tryConsume('messages', sessionId)) return true;
    this.#close(sessionId, now);
    return false;
  }

  #tryConsume(name: 'frames' | 'messages', sessionId: SessionId): boolean {
    const isTaken = this.#sessionLimiter.tryConsume(name, sessionId);
    if (!isTaken) this.#tally.count(`limited_${name}_session`);
    return isTaken;
  }

  #close(sessionId: SessionId, now: number): void {
    for (const [id, until] of this.#closedUntil) if (until <= now) this.#closedUntil.delete(id);
    const waits = (['frames', 'messages'] as const).map((name) =>
      this.#sessionLimiter.msUntil(RESENT_FRAMES, name, sessionId),
    );
    const retryAfterMs = Math.max(...waits);
    this.#closedUntil.set(sessionId, now + retryAfterMs);
    this.#tell(sessionId, retryAfterMs);
  }
}
