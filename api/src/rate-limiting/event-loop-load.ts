import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Load of this process: the delay of its event loop. Milliseconds. */
export interface Load {
  delayMs(): number;
}

/**
 * Default of the delay from which new sessions are shed. Requests are answered within a second, so losing a fifth of it
 * in every turn leaves capacity for the present visitors, and little more. Milliseconds.
 */
export const SHED_FROM_MS = 200;

/** Interval at which the delay is sampled, which is also the reading of an idle process. Milliseconds. */
const RESOLUTION_MS = 20;
/** Time that one figure covers. Milliseconds. */
const WINDOW_MS = 1_000;
/** Percentile of the delays: a single long turn does not matter; if one in ten is long, everything is late. */
const PERCENTILE = 90;

/** Delay of this process's event loop in the last second. */
export class EventLoopLoad implements Load {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  readonly #observe: (longestMs: number) => void;
  #delayMs = 0;

  /** `observe` is called with the longest delay of each second. */
  constructor(observe: (longestMs: number) => void = () => undefined) {
    this.#observe = observe;
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#look(), WINDOW_MS).unref();
  }

  delayMs(): number {
    return this.#delayMs;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #look(): void {
    this.#delayMs = beyond(this.#histogram.percentile(PERCENTILE));
    this.#observe(beyond(this.#histogram.max));
    this.#histogram.reset();
  }
}

/** Converts a measurement of Node, the time between two samples, to the delay beyond the interval. Milliseconds. */
const beyond = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
