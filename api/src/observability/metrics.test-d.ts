/** Compile-time tests: each `@ts-expect-error` fails the type check when `Metrics` accepts a name or label that is not in the table. */
import type { Metrics } from './metrics.ts';

export function labels(metrics: Metrics): void {
  metrics.count('passerby_refusals_total', { door: 'request', code: 'rate_limited' });
  // @ts-expect-error no such metric
  metrics.count('passerby_refusal_total', { door: 'request', code: 'rate_limited' });
  // @ts-expect-error a gauge
  metrics.count('passerby_ready', {});
  // @ts-expect-error no such value
  metrics.count('passerby_refusals_total', { door: 'window', code: 'rate_limited' });
  // @ts-expect-error a forgotten label
  metrics.countOf('passerby_refusals_total', { door: 'request' });
  // @ts-expect-error a label of another metric
  metrics.counter('passerby_incidents_total', { kind: 'push_lost', fault: 'malformed' });
  metrics.countersBy('passerby_incidents_total', 'kind').push_lost.increment();
  // @ts-expect-error no such value
  void metrics.countersBy('passerby_incidents_total', 'kind').push_found;
  // @ts-expect-error not its only label
  metrics.countersBy('passerby_refusals_total', 'door');
  // @ts-expect-error read from the process, so that a count would be lost
  metrics.count('passerby_cpu_seconds_total', {});
  // @ts-expect-error counted, so that a reading would replace the count
  metrics.read('passerby_frames_total', () => []);
}
