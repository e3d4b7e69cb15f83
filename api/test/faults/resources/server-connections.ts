import { pause } from '../patience.ts';
import type { ProxiedLine } from '../proxied-line.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import type { Disturbance, DisturbedResource, Extent } from './disturbance.ts';

const TIMES_GONE = 3;
/** Interval between two checks for a connection that must stay closed. Milliseconds. */
const LOOK_MS = 10;

/** Connections of the service to a server behind proxies; `concerns` selects those of one use. */
export class ServerConnection implements DisturbedResource {
  readonly name: string;
  readonly #proxies: readonly TcpProxy[];
  readonly #concerns: (line: ProxiedLine) => boolean;

  constructor(name: string, proxies: readonly TcpProxy[], concerns: (line: ProxiedLine) => boolean = () => true) {
    this.name = name;
    this.#proxies = proxies;
    this.#concerns = concerns;
  }

  async disturb(
    disturbance: Disturbance,
    { lastsMs, slowMs }: Extent,
    whileDisturbed: () => Promise<void>,
  ): Promise<void> {
    const act = (what: (line: ProxiedLine) => void) => this.#lines().forEach(what);
    switch (disturbance) {
      case 'reset':
        act((line) => line.reset());
        return whileDisturbed();
      case 'half-closed':
        act((line) => line.halfClose());
        return whileDisturbed();
      case 'silent':
        act((line) => line.goSilent());
        await whileDisturbed();
        return pause(lastsMs);
      case 'slow':
        for (const delayMs of slowMs) {
          act((line) => line.slow(delayMs));
          await whileDisturbed();
          await pause(lastsMs);
        }
        return act((line) => line.slow(0));
      case 'failing midway':
        act((line) => line.failMidway());
        await whileDisturbed();
        return pause(lastsMs);
      case 'gone and back':
        for (let times = 1; times <= TIMES_GONE; times++) {
          await this.#keepAway(lastsMs);
          await whileDisturbed();
        }
    }
  }

  #lines(): ProxiedLine[] {
    return this.#proxies.flatMap(({ lines }) => lines.filter(this.#concerns));
  }

  /** Resets each selected connection as soon as it is known. */
  async #keepAway(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    do {
      for (const line of this.#lines()) line.reset();
      await pause(LOOK_MS);
    } while (performance.now() < deadline);
  }
}
