import type { MonotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';
import { isBug } from '../errors.ts';
import type { Metrics } from '../observability/metrics.ts';
import { randomIds } from '../domain/id-source.ts';
import { cachedScript } from '../state/redis/cached-script.ts';
import type { RedisClient } from '../state/redis/redis-client.ts';
import { ForeignAnswer, renewConnection } from '../state/redis/foreign-answer.ts';
import { storeFaultOf } from '../state/redis/store-fault.ts';
import { MemoryCounters, type Count, type CountOutcome, type Counters } from './counters.ts';

/**
 * KEYS     the counts of one action, all of one hash slot
 * ARGV     operation; then points and window in milliseconds, of each key in turn
 * RETURNS  operation; the number of the first key that had none left, or 0; then the count and the milliseconds left of
 *          each key reached. What was counted is taken back if one had none left.
 * COST     two commands a key, four keys at most
 *
 * Not among the scripts with a head: those have a fixed set of keys, all of the registry and of one site, and keep their
 * answer by operation. This has one to four keys by the action, some of no site, and is never asked again.
 */
export const TAKE_TEXT = `
local answer = { ARGV[1], 0 }
for i, key in ipairs(KEYS) do
  local count = redis.call('INCRBY', key, 1)
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = tonumber(ARGV[2 * i + 1])
    redis.call('PEXPIRE', key, left)
  end
  if count > tonumber(ARGV[2 * i]) then
    for j = 1, i do redis.call('INCRBY', KEYS[j], -1) end
    answer[2], answer[2 * i + 1], answer[2 * i + 2] = i, count - 1, left
    return answer
  end
  answer[2 * i + 1], answer[2 * i + 2] = count, left
end
return answer
`;
const TAKE = cachedScript(TAKE_TEXT);

/**
 * Maximum time to wait for Redis before the node counts by itself: a request has to be answered within a second.
 * Milliseconds.
 */
const COUNT_MS = 300;

/**
 * Counters in Redis, for all nodes together, with one round trip per action; while Redis does not answer in time each
 * node counts by itself. Actions that Redis counts late are counted twice.
 */
export class RedisCounters implements Counters {
  readonly #redis: RedisClient;
  readonly #metrics: Metrics;
  readonly #meanwhile: MemoryCounters;

  constructor(redis: RedisClient, clock: MonotonicClock, metrics: Metrics) {
    this.#redis = redis;
    this.#metrics = metrics;
    this.#meanwhile = new MemoryCounters(clock);
  }

  async consume(counts: readonly Count[]): Promise<CountOutcome> {
    // Otherwise the command would wait for a connection, or for its own deadline.
    if (this.#redis.status === 'ready') {
      try {
        const outcome = await within(this.#consume(counts), COUNT_MS, () => null);
        if (outcome !== null) return outcome;
      } catch (thrown) {
        if (isBug(thrown)) throw thrown;
        // Any other failure of Redis has the same answer, below. The state store, which needs the same Redis, says why;
        // what is none, such as a broken script or a key that is not ours, only this sees.
        if (!(thrown instanceof ForeignAnswer) && storeFaultOf(thrown) === 'UNKNOWN')
          this.#metrics.count('passerby_incidents_total', { kind: 'limit_failed' });
      }
    }
    this.#metrics.count('passerby_incidents_total', { kind: 'limit_without_redis' });
    return this.#meanwhile.consume(counts);
  }

  async #consume(counts: readonly Count[]): Promise<CountOutcome> {
    const operation = randomIds.operation();
    const keys = counts.map(({ key }) => key);
    const args = counts.flatMap(({ quota: quota }) => [quota.points, quota.windowMs]);
    const raw = await TAKE(this.#redis, keys, [operation, ...args]);
    const [echo, ...numbers] = Array.isArray(raw) ? (raw as unknown[]) : [];
    if (echo !== operation) {
      // Here, since nobody may wait for this any more.
      renewConnection(this.#redis);
      throw new ForeignAnswer('limits: the answer is of another operation');
    }
    return outcomeOf(numbers);
  }
}

function outcomeOf(numbers: readonly unknown[]): CountOutcome {
  if (numbers.length < 3 || !numbers.every((number) => typeof number === 'number'))
    throw new TypeError(`limits: expected a list of numbers from Redis, got ${JSON.stringify(numbers)}`);
  const [full, ...rest] = numbers as [number, ...number[]];
  const counts = Array.from({ length: rest.length / 2 }, (_, index) => ({
    used: rest[2 * index]!,
    resetMs: rest[2 * index + 1]!,
  }));
  return { full: full === 0 ? null : full - 1, counts };
}
