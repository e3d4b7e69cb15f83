/**
 * Unix time, in milliseconds: for dates, such as the end of a ban or the expiry of a key. It steps back and forward
 * whenever the machine's clock is set, so no duration is measured with it. Injected, so that tests set it.
 */
export type Clock = (() => number) & { readonly tells?: 'date' };

/**
 * Whole milliseconds since some moment in the life of this process: for durations and deadlines. It never goes back
 * and never steps, and means nothing to another process. A `Clock` does not pass for one, nor the other way round; a
 * plain function of a test passes for both.
 */
export type MonotonicClock = (() => number) & { readonly tells?: 'duration' };

export const systemClock: Clock = () => Date.now();

export const monotonicClock: MonotonicClock = () => Math.floor(performance.now());
