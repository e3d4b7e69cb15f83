/** Error for a connection whose replies no longer belong to their commands, so that it cannot be trusted any more. */
export class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
}

/** Connection that can be renewed; one without `status` counts as ready. */
interface Renewable {
  readonly status?: string;
  /** Closes the connection, and with `reconnect` opens a new one. */
  disconnect?(reconnect: boolean): void;
}

/** Minimum time between two renewals of one connection. Milliseconds. */
const RENEW_PAUSE_MS = 1_000;

/** Earliest time of the next renewal, by connection. As `performance.now()`. */
const renewAt = new WeakMap<Renewable, number>();

/**
 * Renews a connection that got a reply to another command. Every user that gets one calls this: all pending commands
 * fail at once and each reports it, so that one new connection is enough. A connection that is being opened is left
 * alone: ioredis gives up one that is disconnected while it queries a Sentinel. Returns whether it was renewed.
 */
export function renewConnection(connection: Renewable): boolean {
  if ((connection.status ?? 'ready') !== 'ready') return false;
  if (performance.now() < (renewAt.get(connection) ?? 0)) return false;
  renewAt.set(connection, performance.now() + RENEW_PAUSE_MS);
  connection.disconnect?.(true);
  return true;
}
