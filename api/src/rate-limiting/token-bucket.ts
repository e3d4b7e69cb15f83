import type { Quota } from '../limits/rate-limits.ts';

/** A quota that fills up again evenly. Times are Unix milliseconds. */
export class TokenBucket {
  readonly #points: number;
  readonly #pointsPerMs: number;
  #left: number;
  #at: number;

  /** A full one. */
  constructor({ points, windowMs }: Quota, now: number) {
    this.#points = points;
    this.#pointsPerMs = points / windowMs;
    this.#left = points;
    this.#at = now;
  }

  /** Takes a point, or that many, if they are there. */
  tryConsume(now: number, points = 1): boolean {
    this.#fill(now);
    if (this.#left < points) return false;
    this.#left -= points;
    return true;
  }

  /** Time until that many points are there, or as many as it holds. Milliseconds, whole. */
  msUntil(points: number, now: number): number {
    this.#fill(now);
    const missing = Math.min(points, this.#points) - this.#left;
    return missing <= 0 ? 0 : Math.ceil(missing / this.#pointsPerMs);
  }

  /** A clock that goes back takes nothing away. */
  #fill(now: number): void {
    const passedMs = Math.max(0, now - this.#at);
    this.#left = Math.min(this.#points, this.#left + passedMs * this.#pointsPerMs);
    this.#at = now;
  }
}
