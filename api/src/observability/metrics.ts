import { ERRORS, type ErrorCode } from '@passerby/sdk/protocol';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { FRAME_FAULTS } from '../contract/frame.ts';
import { METRICS, type LabelsOf, type MetricName, type MetricRow, type NameOf } from './metrics-table.ts';
import { RATE_LIMITS, type RateLimitName } from '../limits/rate-limits.ts';
import { DOORS, INCIDENTS, SCOPES, type Tally } from './tally.ts';

type Instrument = Counter | Gauge | Histogram;
type Reading<Name extends MetricName> = readonly (readonly [labels: LabelsOf<Name>, value: number])[];

/** Metrics of one service, under the names of the table and no others. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #instruments = new Map<MetricName, Instrument>();
  readonly #readings: (() => Promise<void>)[] = [];

  constructor() {
    for (const [name, row] of Object.entries(METRICS) as [MetricName, MetricRow][]) {
      this.#instruments.set(name, this.#create(name, row));
    }
    this.read('passerby_memory_bytes', () => {
      const { rss, heapUsed } = process.memoryUsage();
      return [[{ part: 'resident' }, rss] as const, [{ part: 'heap' }, heapUsed] as const];
    });
    this.read('passerby_cpu_seconds_total', () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    });
  }

  count<Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    (this.#instruments.get(name) as Counter).inc(labels as Record<string, string>, by);
  }

  observe<Name extends NameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    (this.#instruments.get(name) as Histogram).observe(labels as Record<string, string>, value);
  }

  /** Registers the reading of a gauge, or of a counter that is kept elsewhere, made at each scrape. */
  read<Name extends NameOf<'gauge' | 'counter'>>(
    name: Name,
    reading: () => Reading<Name> | Promise<Reading<Name>>,
  ): void {
    const instrument = this.#instruments.get(name) as Counter | Gauge;
    this.#readings.push(async () => {
      const values = await reading();
      instrument.reset();
      for (const [labels, value] of values) instrument.inc(labels as Record<string, string>, value);
    });
  }

  /** Registers the readings of the counters of a tally. */
  readTally(tally: Tally): void {
    this.read('passerby_frames_dropped_total', () =>
      FRAME_FAULTS.map((fault) => [{ fault }, tally.countOf(`frame_${fault}`)] as const),
    );
    this.read('passerby_incidents_total', () => INCIDENTS.map((kind) => [{ kind }, tally.countOf(kind)] as const));
    const limits = Object.keys(RATE_LIMITS) as RateLimitName[];
    this.read('passerby_limits_met_total', () =>
      limits.flatMap((limit) =>
        SCOPES.map((scope) => [{ limit, scope }, tally.countOf(`limited_${limit}_${scope}`)] as const),
      ),
    );
    const codes = Object.keys(ERRORS) as ErrorCode[];
    this.read('passerby_refusals_total', () =>
      DOORS.flatMap((door) => codes.map((code) => [{ door, code }, tally.countOf(`refused_${door}_${code}`)] as const)),
    );
  }

  /** Media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Returns all metrics in Prometheus' text format. */
  async text(): Promise<string> {
    await Promise.all(this.#readings.map((read) => read()));
    return this.#registry.metrics();
  }

  #create(name: MetricName, { type, help, labels, buckets }: MetricRow): Instrument {
    const base = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
    switch (type) {
      case 'gauge':
        return new Gauge(base);
      case 'histogram':
        return new Histogram({ ...base, ...(buckets !== undefined && { buckets: [...buckets] }) });
      case 'counter': {
        const counter = new Counter(base);
        // So that the first one counts as a rise.
        for (const combination of combinationsOf(labels)) counter.inc(combination, 0);
        return counter;
      }
    }
  }
}

function combinationsOf(labels: MetricRow['labels']): Record<string, string>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    combinations = combinations.flatMap((rest) => values.map((value) => ({ ...rest, [label]: value })));
  }
  return combinations;
}
