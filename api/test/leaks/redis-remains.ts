import type { Redis } from 'ioredis';
import { KEYS, PREFIX, type KeyName } from '../../src/state/redis/keys.ts';

/** What outlives the last visitor by design: memories that go in their time, and what a site's sweeps need. */
const REMAINING: readonly KeyName[] = ['nodes', 'recent', 'meetings', 'blocks', 'counters', 'sweeper', 'op'];

/** The names of the keys that hold something of a visitor who may be there; throws for a key that would stay for ever. */
export async function keysOfVisitors(redis: Redis): Promise<readonly KeyName[]> {
  const names = new Set<KeyName>();
  for (const key of await redis.keys('*')) {
    const [name] = key.slice(key.indexOf('}:') + 2).split(':') as [KeyName];
    if (!key.startsWith(PREFIX) || !Object.hasOwn(KEYS, name)) throw new Error(`${key} is not of the registry`);
    // -1 is without a time to live; -2 is gone since it was listed.
    if ((await redis.pttl(key)) === -1) throw new Error(`${key} would stay for ever`);
    if (!REMAINING.includes(name)) names.add(name);
  }
  return [...names];
}

/** How many keys there are once the answers that are kept for a while are gone. */
export const REMAINING_KEYS_MAX = REMAINING.length - 1;
