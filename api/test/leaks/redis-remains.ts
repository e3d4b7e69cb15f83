import type { Redis } from 'ioredis';
import { KEYS, PREFIX, type KeyName } from '../../src/state/redis/keys.ts';

/** What outlives the last visitor by design: memories that go in their time, and what a site's sweeps need. */
const REMAINING: readonly KeyName[] = [
  'nodes',
  'recent',
  'meetings',
  'blocks',
  'parties',
  'over',
  'counters',
  'sweeper',
  'op',
];

/** Salts of the days, and counts of what was done from hashed addresses: each goes when its time is over. */
const OF_NO_VISITOR = [`${PREFIX}salt:`, `${PREFIX}limit:`];

/** The names of the keys that hold something of a visitor who may be there; throws for a key that would stay for ever. */
export async function keysOfVisitors(redis: Redis): Promise<readonly KeyName[]> {
  const names = new Set<KeyName>();
  for (const key of await redis.keys('*')) {
    // -1 is without a time to live; -2 is gone since it was listed.
    if ((await redis.pttl(key)) === -1) throw new Error(`${key} would stay for ever`);
    if (OF_NO_VISITOR.some((prefix) => key.startsWith(prefix))) continue;
    const [name] = key.slice(key.indexOf('}:') + 2).split(':') as [KeyName];
    if (!key.startsWith(PREFIX) || !Object.hasOwn(KEYS, name)) throw new Error(`${key} is not of the registry`);
    if (!REMAINING.includes(name)) names.add(name);
  }
  return [...names];
}

/** Yesterday's, today's and tomorrow's. Counts of visits are gone within a minute, as the answers are. */
const SALTS_MAX = 3;

/** Number of keys once the answers that are kept for a while are gone. */
export const REMAINING_KEYS_MAX = REMAINING.length - 1 + SALTS_MAX;
