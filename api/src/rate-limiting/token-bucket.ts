import type { Quota } from '../limits/rate-limits.ts';

/** Token bucket: a quota that refills evenly. Times in milliseconds, all by one clock. */
export class TokenBucket {
  readonly #points: number;
  readonly #pointsPerMs: number;
  #left: number;
  #at: number;

  /** Creates a full bucket. */
  constructor({ points, windowMs }: Quota, now: number) {
    this.#points = points;
    this.#pointsPerMs = points / windowMs;
    this.#left = points;
    this.#at = now;
  }

  /** Consumes that many points, if they are available. Returns whether they were. */
  tryConsume(now: number, points = 1): boolean {
    this.#fill(now);
    if (this.#left < points) return false;
    this.#left -= points;
    return true;
  }

  /**
   * Returns the time until that many points are available, or the full bucket if it holds fewer. Milliseconds, an
   * integer.
   */
  msUntil(points: number, now: number): number {
    this.#fill(now);
    const missing = Math.min(points, this.#points) - this.#left;
    return missing <= 0 ? 0 : Math.ceil(missing / this.#pointsPerMs);
  }

  /** Refills the bucket. A clock that steps back removes nothing. */
  #fill(now: number): void {
    const passedMs = Math.max(0, now - this.#at);
    this.#left = Math.min(this.#points, this.#left + passedMs * this.#pointsPerMs);
    this.#at = now;
  }
}
