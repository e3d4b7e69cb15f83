import type { Redis } from 'ioredis';
import { KEYS, PREFIX, storedNameOf, type KeyName } from '../../src/state/redis/keys.ts';

/** Keys that outlive the last visitor by design: memories that expire, and what a site's sweeps need. */
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

/** Salts of the days, and counts of actions by hashed addresses: each expires. */
const OF_NO_VISITOR = [`${PREFIX}salt:`, `${PREFIX}limit:`];

/** Returns the names of the keys with data of visitors who may be present; throws for a key without an expiry. */
export async function keysOfVisitors(redis: Redis): Promise<readonly KeyName[]> {
  const names = new Set<KeyName>();
  for (const key of await redis.keys('*')) {
    // -1 is without a time to live; -2 is gone since it was listed.
    if ((await redis.pttl(key)) === -1) throw new Error(`${key} would stay for ever`);
    if (OF_NO_VISITOR.some((prefix) => key.startsWith(prefix))) continue;
    const [storedName] = key.slice(key.indexOf('}:') + 2).split(':');
    const name = (Object.keys(KEYS) as KeyName[]).find((one) => storedNameOf(one) === storedName);
    if (!key.startsWith(PREFIX) || name === undefined) throw new Error(`${key} is not of the registry`);
    if (!REMAINING.includes(name)) names.add(name);
  }
  return [...names];
}

/** Yesterday's, today's and tomorrow's salts. Counts of visits expire within a minute, as replies do. */
const SALTS_MAX = 3;

/** Maximum number of keys once the temporarily kept replies have expired. */
export const REMAINING_KEYS_MAX = REMAINING.length - 1 + SALTS_MAX;
