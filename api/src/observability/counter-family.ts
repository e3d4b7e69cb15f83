import type { CounterName, LabelsOf, MetricRow } from './metrics-table.ts';

/** Counter of one metric with one value for each label. Resolved once where counting must cost nothing but an addition. */
export class Counter {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  increment(by = 1): void {
    this.#value += by;
  }
}

/** One counter, or one node for each value of the next label. */
type Node = Counter | ReadonlyMap<string, Node>;

/** All counters of one metric: one for each combination of label values. Finding one builds no key. */
export class CounterFamily<Name extends CounterName> {
  readonly #labelNames: readonly (keyof LabelsOf<Name>)[];
  readonly #root: Node;
  readonly #all: (readonly [labels: LabelsOf<Name>, counter: Counter])[] = [];

  constructor(labels: MetricRow['labels']) {
    this.#labelNames = Object.keys(labels) as (keyof LabelsOf<Name>)[];
    this.#root = this.#nodeOf(Object.entries(labels), {});
  }

  /** Returns the counter with these label values. */
  with(labels: LabelsOf<Name>): Counter {
    let node = this.#root;
    // The types allow no value that is not in the table.
    for (const name of this.#labelNames) node = (node as ReadonlyMap<unknown, Node>).get(labels[name])!;
    return node as Counter;
  }

  /** Returns every combination of label values with its count, in the order of the table. */
  values(): (readonly [labels: LabelsOf<Name>, value: number])[] {
    return this.#all.map(([labels, counter]) => [labels, counter.value]);
  }

  #nodeOf([label, ...rest]: readonly [string, readonly string[]][], chosen: Record<string, string>): Node {
    if (label !== undefined) {
      const [name, values] = label;
      return new Map(values.map((value) => [value, this.#nodeOf(rest, { ...chosen, [name]: value })]));
    }
    const counter = new Counter();
    this.#all.push([chosen as LabelsOf<Name>, counter]);
    return counter;
  }
}
