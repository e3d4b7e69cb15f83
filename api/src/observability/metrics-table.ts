import { END_REASONS, ERRORS, READINESS_REASONS, STORE_FAULTS, type ErrorCode } from '@passerby/sdk/protocol';
import { RATE_LIMITS, SCOPES, type RateLimitName } from '../limits/rate-limits.ts';
import { FRAME_FAULTS } from '../contract/frame.ts';
import { REPAIRED_KINDS } from '../domain/repaired-kinds.ts';
import { STORE_OPERATIONS } from './store-operations.ts';

/** One metric. All values of its labels are listed: none ever comes from outside. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly help: string;
  readonly labels: { readonly [label: string]: readonly string[] };
  /** Upper bounds of a histogram's buckets, in its unit. */
  readonly buckets?: readonly number[];
}

/** Incidents without a client to report them to: label values of `passerby_incidents_total`. */
const INCIDENTS = [
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

/** Entry points at which a refusal is made: label values of `passerby_refusals_total`. */
const DOORS = ['handshake', 'arrival', 'request', 'http'] as const;

const CODES = Object.keys(ERRORS) as readonly ErrorCode[];

const LIMITED = Object.keys(RATE_LIMITS) as readonly RateLimitName[];

/** Steps of the expansions, from 1; a site has at most ten. */
export const STEPS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'] as const;

/** All metrics of the service. `docs/reference/metrics.md` lists them, and a test compares the two. */
export const METRICS = {
  passerby_ready: {
    type: 'gauge',
    unit: '0 or 1',
    help: '1 if this process accepts visitors, as in /readyz.',
    labels: {},
  },
  passerby_not_ready: {
    type: 'gauge',
    unit: '0 or 1',
    help: '1 for each reason why it is not ready, as in /readyz; records_unwritable alone leaves it ready.',
    labels: { reason: READINESS_REASONS },
  },
  passerby_store_fault: {
    type: 'gauge',
    unit: '0 or 1',
    help: '1 for each present fault of the state store, as in /readyz.',
    labels: { fault: STORE_FAULTS },
  },
  passerby_connections: {
    type: 'gauge',
    unit: 'connections',
    help: 'Open connections to this process, joined or not.',
    labels: {},
  },
  passerby_sessions: {
    type: 'gauge',
    unit: 'sessions',
    help: 'Visitors connected to this process.',
    labels: {},
  },
  passerby_waiting: {
    type: 'gauge',
    unit: 'visitors',
    help: 'Waiting visitors of this process.',
    labels: {},
  },
  passerby_conversation_sides: {
    type: 'gauge',
    unit: 'visitors',
    help: 'Visitors of this process in a conversation: the sum over all processes is twice the conversations.',
    labels: {},
  },
  passerby_wait_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Waits of visitors of this process until a match was told; 0 for a match at once.',
    labels: {},
    buckets: [0.1, 0.5, 1, 1.5, 3, 6, 10, 20, 30, 60, 120, 300, 600],
  },
  passerby_matches_total: {
    type: 'counter',
    unit: 'matches',
    help: 'Matches, by the expansion step that the waiting visitor had reached. Counted by the process of that visitor.',
    labels: { step: STEPS },
  },
  passerby_ends_total: {
    type: 'counter',
    unit: 'sides',
    help: 'Ends told to visitors of this process, one for each side of a conversation, by reason.',
    labels: { reason: END_REASONS },
  },
  passerby_frames_total: {
    type: 'counter',
    unit: 'frames',
    help: 'Frames of visitors of this process that were relayed, to a visitor of it or to another process.',
    labels: { path: ['local', 'remote'] },
  },
  passerby_frames_dropped_total: {
    type: 'counter',
    unit: 'frames',
    help: 'Frames that were not relayed, by fault.',
    labels: { fault: FRAME_FAULTS },
  },
  passerby_refusals_total: {
    type: 'counter',
    unit: 'refusals',
    help: 'Refusals, by code and entry point.',
    labels: { door: DOORS, code: CODES },
  },
  passerby_limits_met_total: {
    type: 'counter',
    unit: 'refusals',
    help: 'Refusals because a quota was used up, by quota and scope.',
    labels: { limit: LIMITED, scope: SCOPES },
  },
  passerby_sessions_opened_total: {
    type: 'counter',
    unit: 'sessions',
    help: 'New sessions.',
    labels: {},
  },
  passerby_resumes_total: {
    type: 'counter',
    unit: 'resumes',
    help: 'Resume tokens presented, by outcome.',
    labels: { outcome: ['resumed', 'unknown', 'failed'] },
  },
  passerby_store_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Duration of calls to the state store, whatever their outcome, by transition.',
    labels: { transition: STORE_OPERATIONS },
    buckets: [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  },
  passerby_store_failures_total: {
    type: 'counter',
    unit: 'calls',
    help: 'Calls to the state store without a known outcome, by transition.',
    labels: { transition: STORE_OPERATIONS },
  },
  passerby_repairs_total: {
    type: 'counter',
    unit: 'entries',
    help: 'Lost or inconsistent entries of the state store that were repaired, by kind.',
    labels: { kind: REPAIRED_KINDS },
  },
  passerby_event_loop_delay_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Maximum delay of the event loop in each second.',
    labels: {},
    buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
  },
  passerby_incidents_total: {
    type: 'counter',
    unit: 'incidents',
    help: 'Incidents that are reported to no client, by kind.',
    labels: { kind: INCIDENTS },
  },
  passerby_memory_bytes: {
    type: 'gauge',
    unit: 'bytes',
    help: 'Memory of this process: the resident set, and the used heap.',
    labels: { part: ['resident', 'heap'] },
  },
  passerby_cpu_seconds_total: {
    type: 'counter',
    unit: 'seconds',
    help: 'Processor time of this process.',
    labels: {},
  },
} as const satisfies { readonly [name: `passerby_${string}`]: MetricRow };

type Table = typeof METRICS;
export type MetricName = keyof Table;
export type NameOf<Type extends MetricRow['type']> = {
  [Name in MetricName]: Table[Name]['type'] extends Type ? Name : never;
}[MetricName];

/** Counter whose value the process reads at each scrape, so that nothing else counts it. */
export const READ_COUNTER = 'passerby_cpu_seconds_total';

/** Names of the counters that code counts. */
export type CounterName = Exclude<NameOf<'counter'>, typeof READ_COUNTER>;

/** A value for each label of a metric. */
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in keyof Table[Name]['labels']]: Table[Name]['labels'][Label] extends readonly (infer Value)[]
    ? Value
    : never;
};

/** The label of a metric that has exactly one; `never` for all others. */
export type SoleLabelOf<Name extends MetricName, Label = keyof LabelsOf<Name>> = Label extends keyof LabelsOf<Name>
  ? [keyof LabelsOf<Name>] extends [Label]
    ? Label
    : never
  : never;
