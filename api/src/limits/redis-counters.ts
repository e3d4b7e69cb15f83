import { createHash } from 'node:crypto';
import type { MonotonicClock } from '../clock.ts';
import type { Tally } from '../observability/tally.ts';
import type { RedisClient } from '../state/redis/client.ts';
import { MemoryCounters, type Count, type CountOutcome, type Counters } from './counters.ts';

/**
 * KEYS     the counts of one action, all of one hash slot
 * ARGV     points and window in milliseconds, of each key in turn
 * RETURNS  the number of the first key that had none left, or 0; then the count and the milliseconds left of each key
 *          reached. What was counted is taken back if one had none left.
 * COST     two commands a key, four keys at most
 */
export const TAKE = `
local answer = { 0 }
for i, key in ipairs(KEYS) do
  local count = redis.call('INCRBY', key, 1)
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = tonumber(ARGV[2 * i])
    redis.call('PEXPIRE', key, left)
  end
  if count > tonumber(ARGV[2 * i - 1]) then
    for j = 1, i do redis.call('INCRBY', KEYS[j], -1) end
    answer[1], answer[2 * i], answer[2 * i + 1] = i, count - 1, left
    return answer
  end
  answer[2 * i], answer[2 * i + 1] = count, left
end
return answer
`;
const TAKE_SHA = createHash('sha1').update(TAKE).digest('hex');

/** Counts in Redis, for all nodes together, in one round trip an action; while Redis does not answer each node counts by itself. */
export class RedisCounters implements Counters {
  readonly #redis: RedisClient;
  readonly #tally: Tally;
  readonly #meanwhile: MemoryCounters;

  constructor(redis: RedisClient, clock: MonotonicClock, tally: Tally) {
    this.#redis = redis;
    this.#tally = tally;
    this.#meanwhile = new MemoryCounters(clock);
  }

  async take(counts: readonly Count[]): Promise<CountOutcome> {
    // Otherwise the command would wait for a connection, or for its own deadline.
    if (this.#redis.status === 'ready') {
      try {
        return outcomeOf(await this.#run(counts));
      } catch {
        // Any failure of Redis has the same answer, below. The state store, which needs the same Redis, says why.
      }
    }
    this.#tally.count('limit_without_redis');
    return this.#meanwhile.take(counts);
  }

  async #run(counts: readonly Count[]): Promise<unknown> {
    const keys = counts.map(({ key }) => key);
    const args = counts.flatMap(({ allowance }) => [String(allowance.points), String(allowance.windowMs)]);
    try {
      return await this.#redis.evalsha(TAKE_SHA, keys.length, ...keys, ...args);
    } catch (thrown) {
      if (!(thrown instanceof Error && thrown.message.startsWith('NOSCRIPT'))) throw thrown;
      return this.#redis.eval(TAKE, keys.length, ...keys, ...args);
    }
  }
}

function outcomeOf(answer: unknown): CountOutcome {
  const numbers = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (numbers.length < 3 || !numbers.every((number) => typeof number === 'number'))
    throw new Error(`limits: expected a list of numbers from Redis, got ${JSON.stringify(answer)}`);
  const [full, ...rest] = numbers as [number, ...number[]];
  const counts = Array.from({ length: rest.length / 2 }, (_, index) => ({
    used: rest[2 * index]!,
    resetMs: rest[2 * index + 1]!,
  }));
  return { full: full === 0 ? null : full - 1, counts };
}
