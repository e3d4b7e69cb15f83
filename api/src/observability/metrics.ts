import { Counter as PromCounter, Gauge, Histogram, Registry } from 'prom-client';
import { CounterFamily, type Counter } from './counter-family.ts';
import {
  METRICS,
  READ_COUNTER,
  type CounterName,
  type LabelsOf,
  type MetricName,
  type MetricRow,
  type NameOf,
  type SoleLabelOf,
} from './metrics-table.ts';

type Instrument = PromCounter | Gauge | Histogram;
type Reading<Name extends MetricName> = readonly (readonly [labels: LabelsOf<Name>, value: number])[];

/**
 * Metrics of one service, under the names of the table and no others. Counters are numbers of this object, so that
 * counting is cheap; `prom-client` gets them at each scrape.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #instruments = new Map<MetricName, Instrument>();
  readonly #counters = new Map<CounterName, CounterFamily<CounterName>>();
  /** Registered readings, one for each metric that has one. */
  readonly #readings = new Map<MetricName, () => Promise<void>>();

  constructor() {
    for (const [name, row] of Object.entries(METRICS) as [MetricName, MetricRow][]) {
      this.#instruments.set(name, this.#create(name, row));
      if (!isCounter(name)) continue;
      const family = new CounterFamily<CounterName>(row.labels);
      this.#counters.set(name, family);
      // With a value from the start, so that the first count is a rise.
      this.#read(name, () => family.values());
    }
    this.read('passerby_memory_bytes', () => {
      const { rss, heapUsed } = process.memoryUsage();
      return [[{ part: 'resident' }, rss] as const, [{ part: 'heap' }, heapUsed] as const];
    });
    this.#read(READ_COUNTER, () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    });
  }

  /** Returns the counter with these label values, for code that counts often. */
  counter<Name extends CounterName>(name: Name, labels: LabelsOf<Name>): Counter {
    return this.#counters.get(name)!.with(labels);
  }

  /** Returns the counters of a metric whose only label is this one, by its values. */
  countersBy<Name extends CounterName, Label extends SoleLabelOf<Name>>(
    name: Name,
    label: Label,
  ): Readonly<Record<LabelsOf<Name>[Label] & string, Counter>> {
    const values = (METRICS[name] as MetricRow).labels[label as string]!;
    const counters = values.map((value) => [value, this.counter(name, { [label]: value } as LabelsOf<Name>)]);
    return Object.fromEntries(counters) as Record<LabelsOf<Name>[Label] & string, Counter>;
  }

  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    this.counter(name, labels).increment(by);
  }

  /** Returns the count so far. */
  countOf<Name extends CounterName>(name: Name, labels: LabelsOf<Name>): number {
    return this.counter(name, labels).value;
  }

  observe<Name extends NameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    (this.#instruments.get(name) as Histogram).observe(labels as Record<string, string>, value);
  }

  /** Registers the reading of a gauge, or of a counter that is kept elsewhere, made at each scrape. */
  read<Name extends NameOf<'gauge'>>(name: Name, reading: () => Reading<Name> | Promise<Reading<Name>>): void {
    this.#read(name, reading);
  }

  #read<Name extends NameOf<'gauge' | 'counter'>>(
    name: Name,
    reading: () => Reading<Name> | Promise<Reading<Name>>,
  ): void {
    const instrument = this.#instruments.get(name) as PromCounter | Gauge;
    this.#readings.set(name, async () => {
      const values = await reading();
      instrument.reset();
      for (const [labels, value] of values) instrument.inc(labels as Record<string, string>, value);
    });
  }

  /** Media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Returns all metrics in Prometheus' text format. */
  async text(): Promise<string> {
    await Promise.all(Array.from(this.#readings.values(), (read) => read()));
    return this.#registry.metrics();
  }

  #create(name: MetricName, { type, help, labels, buckets }: MetricRow): Instrument {
    const base = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
    switch (type) {
      case 'gauge':
        return new Gauge(base);
      case 'histogram':
        return new Histogram({ ...base, ...(buckets !== undefined && { buckets: [...buckets] }) });
      case 'counter':
        return new PromCounter(base);
    }
  }
}

function isCounter(name: MetricName): name is CounterName {
  return METRICS[name].type === 'counter' && name !== READ_COUNTER;
}
