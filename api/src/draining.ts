import type { Broadcast } from './broadcast.ts';
import { monotonicClock } from './clock.ts';
import { DRAIN_MAX_MS } from './shutdown.ts';

/** Time over which clients spread their reconnects when this node goes: each takes a random part of it. Milliseconds. */
const SPREAD_MS = 4_000;

/** Interval at which the remaining connections are counted. Milliseconds. */
const CHECK_MS = 50;

/** Draining of a node before it stops: from then on it takes no visitors. */
export class Draining {
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Refuses new visitors and tells those here to reconnect elsewhere. Resolves when they have gone or the time is up. */
  async start(broadcast: Pick<Broadcast, 'toAll'>, connectionCount: () => number): Promise<void> {
    this.#isDraining = true;
    broadcast.toAll('session:draining', { reconnectAfterMs: SPREAD_MS });
    // Not the clock of a test: it may stand still, and connections close in their own time.
    const deadline = monotonicClock() + DRAIN_MAX_MS;
    while (connectionCount() > 0 && monotonicClock() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
    }
  }
}
