import { ChatError } from '../errors.ts';
import type { Retry } from '../protocol/index.ts';
import type { DisconnectReason } from './transport.ts';

export const RETRY = {
  /** The first attempt comes after 0 to this; twice as much for each one after it. */
  baseMs: 500,
  /** Small enough for several attempts within `TIMES.graceMs`, large enough to spread a crowd. */
  capMs: 15_000,
  /** A connection that lasted for less counts as one more failed attempt, so that a service that drops it at once is not asked without pause. */
  minUptimeMs: 5_000,
} as const;

/** Full jitter: anything from nothing to the exponential step. `attempt` counts from 1; `random` is in [0, 1). */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.round(random() * Math.min(RETRY.capMs, RETRY.baseMs * 2 ** (attempt - 1)));
}

/** Decision about a lost connection. */
export type RetryDecision =
  | { readonly kind: 'again'; readonly delayMs: number; readonly keepsSession: boolean }
  | { readonly kind: 'give_up'; readonly error: ChatError };

const KEEPS_SESSION = {
  never: null,
  after_delay: true,
  new_session: false,
} as const satisfies Record<Retry, boolean | null>;

/** Decides what follows the end of a connection: a lost one is retried, a refused one as the error table says, after `retryAfterMs` of the service at least. */
export function decideRetry(loss: DisconnectReason, attempt: number, random: () => number): RetryDecision {
  const delayMs = backoffMs(attempt, random);
  if (loss.kind === 'lost') return { kind: 'again', delayMs, keepsSession: true };
  const error = ChatError.fromWire(loss.error);
  const keepsSession = KEEPS_SESSION[error.retry];
  // For hours perhaps: the visitor is told, and comes back when it is over.
  if (keepsSession === null || error.code === 'banned') return { kind: 'give_up', error };
  return { kind: 'again', delayMs: delayMs + (error.retryAfterMs ?? 0), keepsSession };
}

/** Returns the number of the next attempt after a connection that was ready for `uptimeMs`; 0 for one that never was. */
export function nextAttempt(attempt: number, uptimeMs: number): number {
  return uptimeMs >= RETRY.minUptimeMs ? 1 : attempt + 1;
}
