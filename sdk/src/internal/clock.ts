/** Unix milliseconds, for dates that are shown or handed on. It steps whenever the machine's clock is set: measure no duration with it. */
export function unixNow(): number {
  return Date.now();
}

/** Milliseconds since some moment in the life of this page, for durations. It never steps. */
export function monotonicNow(): number {
  return performance.now();
}

/** A moment on both clocks. */
export type Moment = readonly [unixMs: number, monotonicMs: number];

export function momentNow(): Moment {
  return [unixNow(), monotonicNow()];
}

/**
 * Milliseconds since a moment by whichever clock counted more: some browsers stop the monotonic one while the machine sleeps.
 * For questions where too much costs nothing, such as whether a connection may have died meanwhile.
 */
export function atLeastSince([unixMs, monotonicMs]: Moment): number {
  return Math.max(unixNow() - unixMs, monotonicNow() - monotonicMs);
}
