/** Distance of each disc from the middle, in radii: below 1 they overlap. */
export const GAP = {
  together: 0.5,
  start: 0.77,
  away: 0.9,
  /** Touching, almost: where a wait comes near to and never arrives. */
  waitingNearest: 1.04,
  waitingFarthest: 1.62,
  parted: 2,
} as const;

/** After this long, two thirds of the way are drifted. Most waits are over before. */
const DRIFT_MS = 20_000;

/** The gap after a wait of `waitedMs`: nearer and nearer, and never an overlap before there is someone. */
export function waitingGap(waitedMs: number): number {
  const { waitingNearest, waitingFarthest } = GAP;
  return waitingNearest + (waitingFarthest - waitingNearest) * Math.exp(-Math.max(0, waitedMs) / DRIFT_MS);
}

/** A wait so long that it would be dishonest to say "any moment". */
export const LONG_WAIT_MS = 25_000;
