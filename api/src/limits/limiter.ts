import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { MonotonicClock } from '../clock.ts';
import { Refusal } from '../errors.ts';
import type { Tally } from '../observability/tally.ts';
import type { RedisClient } from '../state/redis/client.ts';
import { PREFIX } from '../state/redis/keys.ts';
import type { AddressHash, SiteId } from '../state/state-store.ts';
import {
  RATE_LIMITS,
  scaled,
  type Allowance,
  type RateLimitName,
  type Scope,
  type SessionLimitName,
  type SharedLimitName,
} from './rate-limits.ts';
import type { SessionAllowances } from './session-allowances.ts';

/** Who does something. */
export interface Doer {
  /** `''` for what belongs to no site. */
  readonly site: SiteId | '';
  /** Hashed with that site. */
  readonly address: AddressHash;
}

/** How an allowance stands after one was taken. */
export interface Standing {
  readonly name: RateLimitName;
  readonly scope: Exclude<Scope, 'session'>;
  readonly allowance: Allowance;
  /** Points left; 0 where it was refused. */
  readonly left: number;
  /** Until all are there again. Milliseconds. */
  readonly resetMs: number;
}

/** What became of taking one: where it stands, and the refusal if one of them had none left. */
export interface Taken {
  readonly standings: readonly Standing[];
  readonly refusal: Refusal | null;
}

/** How much of a site's window those who are told to come back are spread over, so that they do not come at once. */
const SPREAD = 0.25;

/**
 * Counts what is done, per address of a site and per site: in Redis for all nodes together, and while Redis
 * does not answer in this process's memory. An address that has none left does not use up the site's.
 */
export class Limiter {
  readonly #sessions: SessionAllowances;
  readonly #factor: number;
  readonly #redis: RedisClient | null;
  readonly #clock: MonotonicClock;
  readonly #tally: Tally;
  /** Until when there is none left, by what `takeAtOnce` heard of its counts. */
  readonly #spentUntil = new Map<string, number>();
  readonly #counters = new Map<string, RateLimiterAbstract>();

  constructor(parts: {
    readonly sessions: SessionAllowances;
    readonly factor: number;
    readonly redis: RedisClient | null;
    readonly clock: MonotonicClock;
    readonly tally: Tally;
  }) {
    this.#sessions = parts.sessions;
    this.#factor = parts.factor;
    this.#redis = parts.redis;
    this.#clock = parts.clock;
    this.#tally = parts.tally;
  }

  /** Takes one of what a session may do. @throws Refusal `rate_limited`. */
  takeOfSession(name: SessionLimitName, session: string): void {
    if (this.#sessions.take(name, session)) return;
    throw this.#refusal(name, 'session', this.#sessions.msUntil(1, name, session));
  }

  /** Takes one of what an address, and its site, may do. @throws Refusal `rate_limited`. */
  async take(name: SharedLimitName, doer: Doer): Promise<void> {
    const { refusal } = await this.tryTake(name, doer);
    if (refusal !== null) throw refusal;
  }

  /**
   * The same for what must not wait, so that a visitor's requests are done in the order they came: it is
   * counted meanwhile, and whatever comes after the count is refused. @throws Refusal `rate_limited`.
   */
  takeAtOnce(name: SharedLimitName, doer: Doer): void {
    const now = this.#clock();
    for (const scope of ['address', 'site'] as const) {
      const until = this.#spentUntil.get(spentKey(name, scope, doer)) ?? 0;
      if (until > now) throw this.#refusal(name, scope, until - now);
    }
    this.#count(name, doer).then(
      ({ spent }) => {
        if (spent === null) return;
        for (const [key, until] of this.#spentUntil) if (until <= now) this.#spentUntil.delete(key);
        this.#spentUntil.set(spentKey(name, spent.scope, doer), now + spent.resetMs);
      },
      () => this.#tally.count('limit_failed'),
    );
  }

  /** The same for who wants to know how it stands. */
  async tryTake(name: SharedLimitName, doer: Doer): Promise<Taken> {
    const { standings, spent } = await this.#count(name, doer);
    if (spent === null) return { standings, refusal: null };
    const spreadMs = spent.scope === 'site' ? Math.random() * SPREAD * spent.allowance.windowMs : 0;
    return { standings, refusal: this.#refusal(name, spent.scope, spent.resetMs + spreadMs) };
  }

  async #count(
    name: SharedLimitName,
    { site, address }: Doer,
  ): Promise<{ readonly standings: readonly Standing[]; readonly spent: Standing | null }> {
    const keys = { address, site };
    const standings: Standing[] = [];
    for (const scope of ['address', 'site'] as const) {
      const given: Allowance | undefined = (RATE_LIMITS[name] as Partial<Record<Scope, Allowance>>)[scope];
      if (given === undefined) continue;
      const allowance = scaled(given, this.#factor);
      const { isTaken, left, resetMs } = await consume(this.#counterOf(name, scope, allowance), keys[scope]);
      const standing = { name, scope, allowance, left, resetMs };
      standings.push(standing);
      if (!isTaken) return { standings, spent: standing };
    }
    return { standings, spent: null };
  }

  #refusal(name: RateLimitName, scope: Scope, retryAfterMs: number): Refusal {
    this.#tally.count(`limited_${name}_${scope}`);
    return new Refusal('rate_limited', { retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) });
  }

  #counterOf(name: SharedLimitName, scope: Scope, allowance: Allowance): RateLimiterAbstract {
    const keyPrefix = `${PREFIX}limit:${name}:${scope}`;
    const known = this.#counters.get(keyPrefix);
    if (known !== undefined) return known;
    const counter = this.#createCounter(keyPrefix, allowance);
    this.#counters.set(keyPrefix, counter);
    return counter;
  }

  #createCounter(keyPrefix: string, { points, windowMs }: Allowance): RateLimiterAbstract {
    const options = { keyPrefix, points, duration: windowMs / 1_000 };
    if (this.#redis === null) return new RateLimiterMemory(options);
    return new RateLimiterRedis({
      ...options,
      storeClient: this.#redis,
      rejectIfRedisNotReady: true,
      customIncrTtlLuaScript: COUNT,
      // Who has none left is refused here until the window is over, and costs Redis nothing.
      inMemoryBlockOnConsumed: points,
      insuranceLimiter: new Insurance(options, this.#tally),
    });
  }
}

/** Counts while Redis does not answer: each node by itself, so that a visitor may get one allowance from each. */
class Insurance extends RateLimiterMemory {
  readonly #tally: Tally;

  constructor(options: ConstructorParameters<typeof RateLimiterMemory>[0], tally: Tally) {
    super(options);
    this.#tally = tally;
  }

  override consume(...args: Parameters<RateLimiterMemory['consume']>): Promise<RateLimiterRes> {
    this.#tally.count('limit_without_redis');
    return super.consume(...args);
  }
}

const spentKey = (name: SharedLimitName, scope: Scope, { site, address }: Doer) =>
  scope === 'site' ? `${name} ${site}` : `${name} ${site} ${address}`;

/** KEYS[1] a counter; ARGV[1] how many to add, ARGV[2] its window in seconds. Returns the count and the milliseconds left. One key a call. */
const COUNT = `
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = 1000 * ARGV[2]
  redis.call('PEXPIRE', KEYS[1], left)
end
return {count, left}
`;

async function consume(
  counter: RateLimiterAbstract,
  key: string,
): Promise<{ isTaken: boolean; left: number; resetMs: number }> {
  try {
    const { remainingPoints, msBeforeNext } = await counter.consume(key);
    return { isTaken: true, left: remainingPoints, resetMs: msBeforeNext };
  } catch (thrown) {
    if (!(thrown instanceof RateLimiterRes)) throw thrown;
    return { isTaken: false, left: 0, resetMs: thrown.msBeforeNext };
  }
}
