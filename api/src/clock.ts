/** Unix milliseconds. Injected wherever time decides something, so that tests set it. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
