import { FINGERPRINT } from '../fingerprints.ts';
import type { Criteria } from '@passerby/sdk/protocol';
import type { Redis } from 'ioredis';
import { DEFAULT_MATCH_RULES, type MatchRules } from '../../src/matching/rules.ts';
import { ticketFrom } from '../../src/matching/ticket.ts';
import { randomIds } from '../../src/domain/id-source.ts';
import { keyOf } from '../../src/state/redis/keys.ts';
import { RedisStore } from '../../src/state/redis/redis-store.ts';
import type { NodeId, SiteId } from '../../src/domain/ids.ts';
import type { SessionRef } from '../../src/domain/session.ts';
import { requestId } from '../harness.ts';
import { chanceFrom } from '../history/stranger.ts';

const NODE = 'n_crowd' as NodeId;
/** Maximum number of visitors who are admitted at once. */
const AT_ONCE = 500;
const INTERESTS = 1_000;
/** Interval without sweeps and surveys: admitting a crowd is not measured. */
const FILLING: MatchRules = { ...DEFAULT_MATCH_RULES, scanMax: 1, perTagMax: 1 };
/** Result of one join. */
export interface Join {
  readonly session: SessionRef;
  readonly examined: number;
}

/** Site with many waiting visitors whom nobody may meet, each with 1 to 5 interests, some of them popular. */
export class Crowd {
  readonly site: SiteId;
  readonly #redis: Redis;
  readonly #store: RedisStore;
  readonly #random: () => number;
  #size = 0;

  constructor(redis: Redis, site: string, seed: number) {
    this.site = site as SiteId;
    this.#redis = redis;
    this.#store = new RedisStore(redis, randomIds);
    this.#random = chanceFrom(seed);
  }

  get size(): number {
    return this.#size;
  }

  /** Admits as many visitors as are needed for this many to wait. */
  async growTo(size: number): Promise<void> {
    while (this.#size < size) {
      await this.#store.heartbeat(this.site, NODE);
      const arriving = Math.min(AT_ONCE, size - this.#size);
      await Promise.all(Array.from({ length: arriving }, () => this.#join(FILLING)));
      this.#size += arriving;
    }
  }

  /** Lets one more visitor join under the default rules, and returns the number of candidates examined. */
  async join(): Promise<Join> {
    await this.#store.heartbeat(this.site, NODE);
    const before = await this.#examined();
    const session = await this.#join(DEFAULT_MATCH_RULES);
    return { session, examined: (await this.#examined()) - before };
  }

  /** Mean script time of one join, as Redis itself measures it, over this many. Microseconds. */
  async measureJoins(count: number): Promise<number> {
    await this.#store.heartbeat(this.site, NODE);
    const sessions = await Promise.all(Array.from({ length: count }, () => this.#open()));
    const asks = sessions.map((session) => ({ session, ticket: this.#ticket() }));
    await this.#redis.config('RESETSTAT');
    for (const { session, ticket } of asks) await this.#store.find(session, ticket, DEFAULT_MATCH_RULES);
    const stats = String(await this.#redis.info('commandstats'));
    const [, calls, usec] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(stats)!;
    if (Number(calls) !== count) throw new Error(`${calls} scripts ran, not ${count}`);
    for (const session of sessions) await this.#store.close(session);
    return Number(usec) / count;
  }

  async leave({ session }: Join): Promise<void> {
    await this.#store.close(session);
  }

  async #join(rules: MatchRules): Promise<SessionRef> {
    const session = await this.#open();
    const { status } = await this.#store.find(session, this.#ticket(), rules);
    if (status !== 'waiting') throw new Error('two met who must not');
    return session;
  }

  async #open(): Promise<SessionRef> {
    return (await this.#store.open(this.site, NODE, randomIds.resume(), FINGERPRINT)).session;
  }

  #ticket() {
    const interests = Array.from({ length: 1 + Math.floor(this.#random() * 5) }, () => `interest-${this.#zipf()}`);
    const criteria: Criteria = { interests, languages: [this.#random() < 0.7 ? 'en' : 'pt'], seeks: ['nobody'] };
    return ticketFrom({ requestId: requestId(), ...criteria });
  }

  /** Draws an interest: the n-th most popular about 1/n as often as the first. */
  #zipf(): number {
    return Math.min(INTERESTS, Math.floor(INTERESTS ** this.#random()));
  }

  async #examined(): Promise<number> {
    return Number((await this.#redis.hget(keyOf('counters', this.site, ''), 'examined')) ?? 0);
  }
}
