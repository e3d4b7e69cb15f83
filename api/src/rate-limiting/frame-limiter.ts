import { LIMITS } from '@passerby/sdk/protocol';
import type { MonotonicClock } from '../clock.ts';
import type { SessionRateLimiter } from './session-rate-limiter.ts';

/** Outcome for one frame. `throttled`: dropped, and the visitor is to be told to resend after that time, once. */
export type FrameAdmission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number };

const ADMITTED: FrameAdmission = { kind: 'admitted' };
const DROPPED: FrameAdmission = { kind: 'dropped' };

/**
 * Limits the frames of one session. A sender of too many messages is told once, and until the time it was told all are
 * dropped: then there is quota for all its unacknowledged ones, in order. Unnumbered frames may be lost, and are
 * dropped silently.
 */
export class FrameLimiter {
  readonly #limiter: SessionRateLimiter;
  readonly #clock: MonotonicClock;
  #throttledUntil = -Infinity;

  constructor(parts: { readonly limiter: SessionRateLimiter; readonly clock: MonotonicClock }) {
    this.#limiter = parts.limiter;
    this.#clock = parts.clock;
  }

  admit(isNumbered: boolean): FrameAdmission {
    if (!isNumbered) return this.#limiter.tryConsume('frames') ? ADMITTED : DROPPED;
    const now = this.#clock();
    if (this.#throttledUntil > now) {
      this.#limiter.noteRefused('messages');
      return DROPPED;
    }
    if (this.#limiter.tryConsume('frames') && this.#limiter.tryConsume('messages')) return ADMITTED;
    // A client resends all its unacknowledged frames at once.
    const waits = (['frames', 'messages'] as const).map((name) => this.#limiter.msUntil(LIMITS.windowFrames, name));
    const retryAfterMs = Math.max(...waits);
    this.#throttledUntil = now + retryAfterMs;
    return { kind: 'throttled', retryAfterMs };
  }
}
