/** The answers on this connection are no longer those of their commands: it cannot be trusted any more. */
export class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
}

/** A connection that can be made anew; one without `status` counts as ready. */
interface Renewable {
  readonly status?: string;
  /** Drops the connection, and with `reconnect` makes a new one. */
  disconnect?(reconnect: boolean): void;
}

/** Minimum time between two renewals of one connection. Milliseconds. */
const RENEW_PAUSE_MS = 1_000;

/** By connection, the time before which it is not renewed once more. As `performance.now()`. */
const renewAt = new WeakMap<Renewable, number>();

/**
 * Makes a connection anew on which a foreign answer came. To be called by each of its users that meets one: all that was
 * under way fails at once, and each of it says so, so that one new connection will do. One that is being made is left
 * alone: ioredis gives up what is disconnected while it asks a Sentinel. Whether it was done.
 */
export function renewConnection(connection: Renewable): boolean {
  if ((connection.status ?? 'ready') !== 'ready') return false;
  if (performance.now() < (renewAt.get(connection) ?? 0)) return false;
  renewAt.set(connection, performance.now() + RENEW_PAUSE_MS);
  connection.disconnect?.(true);
  return true;
}
