import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * Targets of new connections, in turns, as of a load balancer. Several proxies may share it, so that each visitor has a
 * path of their own to the same nodes.
 */
export class Targets {
  #ports: readonly number[];
  #turn = 0;

  constructor(...ports: readonly number[]) {
    this.#ports = ports;
  }

  add(port: number): void {
    this.#ports = [...this.#ports, port];
  }

  /** Removes a target; open connections to it stay. */
  remove(port: number): void {
    this.#ports = this.#ports.filter((other) => other !== port);
  }

  /** Connects to the next target that accepts; `null` if none does. */
  async reach(): Promise<Socket | null> {
    const turn = this.#turn++;
    const ports = this.#ports;
    for (let tried = 0; tried < ports.length; tried++) {
      const socket = connect({ port: ports[(turn + tried) % ports.length]!, host: '127.0.0.1', noDelay: true });
      const hasAccepted = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      if (hasAccepted) return socket;
    }
    return null;
  }
}
