/** Distance of each disc from the middle, in radii: below 1 they overlap. */
export const GAP = {
  together: 0.5,
  start: 0.77,
  away: 0.9,
  /** Almost touching: the gap of a wait approaches this and never reaches it. */
  waitingNearest: 1.04,
  waitingFarthest: 1.62,
  parted: 2,
} as const;

/** Time in which two thirds of the way are covered. Most waits are over before. Milliseconds. */
const DRIFT_MS = 20_000;

/** Returns the gap after a wait of `waitedMs`: ever smaller, and never an overlap before a match. */
export function waitingGap(waitedMs: number): number {
  const { waitingNearest, waitingFarthest } = GAP;
  return waitingNearest + (waitingFarthest - waitingNearest) * Math.exp(-Math.max(0, waitedMs) / DRIFT_MS);
}

/** Duration of a wait after which "any moment" would be dishonest. Milliseconds. */
export const LONG_WAIT_MS = 25_000;
