import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Delay with which this process gets to things. Milliseconds. */
export interface Load {
  delayMs(): number;
}

/**
 * Default of the delay from which new sessions are shed. Requests are answered within a second, so a
 * fifth of it lost in every turn leaves room for who is here already, and for little more. Milliseconds.
 */
export const SHED_FROM_MS = 200;

/** Interval at which the delay is sampled, which is also what a process with nothing to do shows. Milliseconds. */
const RESOLUTION_MS = 20;
/** The time a figure is about. Milliseconds. */
const WINDOW_MS = 1_000;
/** One long turn is a hiccup; when one turn in ten is long, all are late. */
const PERCENTILE = 90;

/** The delay of this process's event loop in the last second. */
export class EventLoopLoad implements Load {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  readonly #observe: (longestMs: number) => void;
  #delayMs = 0;

  /** `observe` is told the longest delay of each second. */
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

/** Node counts the time between two looks; what goes beyond it is the delay. Milliseconds. */
const beyond = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
