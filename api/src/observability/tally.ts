import type { ErrorCode } from '@passerby/sdk/protocol';
import type { FrameFault } from '../contract/frame.ts';
import type { RateLimitName, Scope } from '../limits/rate-limits.ts';

/** Incidents without a client to report them to: label values of `passerby_incidents_total`. */
export const INCIDENTS = [
  'request_without_ack',
  'unknown_event',
  'malformed_packet',
  'slow_reader',
  'fast_sender',
  'push_lost',
  'subscriptions_lost',
  'parcels_lost',
  'parcels_without_receiver',
  'parcels_malformed',
  'parcels_failed',
  'round_failed',
  'limit_without_redis',
  'limit_failed',
  'requests_under_way',
  'sessions_shed',
  'proof_needed',
  'proof_given',
  'answer_aborted',
  'proxy_undeclared',
  'proxy_entries_missing',
] as const;
export type Incident = (typeof INCIDENTS)[number];

/** Entry points at which a refusal is made: label values of `passerby_refusals_total`. */
export const DOORS = ['handshake', 'arrival', 'request', 'http'] as const;
export type Door = (typeof DOORS)[number];

/** Owners of a quota that was used up: label values of `passerby_limits_met_total`. */
export const SCOPES = ['session', 'address', 'site'] as const satisfies readonly Scope[];

/** Names of counters. Fixed words, never input. */
export type TallyName =
  Incident | `frame_${FrameFault}` | `refused_${Door}_${ErrorCode}` | `limited_${RateLimitName}_${Scope}`;

/** Counts refusals and incidents at the entry points, in relaying and on the node bus. `Metrics` exposes the counts. */
export class Tally {
  readonly #counts = new Map<TallyName, number>();

  count(name: TallyName): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Counts a refusal at an entry point. */
  refused(door: Door, code: ErrorCode): void {
    this.count(`refused_${door}_${code}`);
  }

  countOf(name: TallyName): number {
    return this.#counts.get(name) ?? 0;
  }
}
