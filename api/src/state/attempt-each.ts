import { monotonicClock, type MonotonicClock } from '../clock.ts';

/** Time after which a failure ends the work: by then it is the store that fails, and not the item. Milliseconds. */
const FAILING_MAX_MS = 1_000;

/**
 * Does the work for each item, one after another. An item that fails keeps no other from its turn, unless the work has
 * gone on for longer than `FAILING_MAX_MS` by then. Rejects with the first failure, once it is done.
 */
export async function attemptEach<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
  clock: MonotonicClock = monotonicClock,
): Promise<void> {
  const begunAt = clock();
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (thrown) {
      failures.push(thrown);
      if (clock() - begunAt > FAILING_MAX_MS) break;
    }
  }
  if (failures.length > 0) throw failures[0];
}
