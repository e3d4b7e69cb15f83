import type { Redis } from 'ioredis';
import { type KeyName, keyOf, KEYS, PREFIX } from '../../src/state/redis/keys.ts';
import type { SiteId } from '../../src/domain/ids.ts';

/** Every key of the registry, so that a new one is covered. */
export const KEY_NAMES = Object.keys(KEYS) as readonly KeyName[];

/** Deletes one key of a site; for `op`, the kept replies of all requests. */
export async function deleteKey(redis: Redis, site: SiteId, name: KeyName): Promise<void> {
  const key = keyOf(name, site, '');
  const keys = name === 'op' ? await redis.keys(`${key.replaceAll(/[{}[\]]/g, '\\$&')}*`) : [key];
  if (keys.length > 0) await redis.del(...keys);
}

/** Deletes one field or member of a key, or a key that has none; `pick` is from 0 to below 1. */
export async function deleteEntry(redis: Redis, site: SiteId, name: KeyName, pick: number): Promise<void> {
  const key = keyOf(name, site, '');
  const { holds } = KEYS[name];
  const one = (entries: readonly string[]) => entries[Math.floor(pick * entries.length)];
  if (holds.startsWith('hash')) {
    const field = one((await redis.hkeys(key)).sort());
    if (field !== undefined) await redis.hdel(key, field);
  } else if (holds.startsWith('sorted set')) {
    const member = one(await redis.zrange(key, '0', '-1'));
    if (member !== undefined) await redis.zrem(key, member);
  } else await deleteKey(redis, site, name);
}

/** Saves the data of the service in Redis; calling the result restores them, and nothing else. */
export async function takeSnapshot(redis: Redis): Promise<() => Promise<void>> {
  const keys = await redis.keys(`${PREFIX}*`);
  const dumps = await Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)] as const));
  return async () => {
    const all = redis.multi().flushall();
    for (const [key, dump] of dumps) all.restore(key, 86_400_000, dump);
    await all.exec();
  };
}

/**
 * Keys whose loss loses blocks: blocks use session ids, so they are lost with their key, and with what resumes a
 * session.
 */
export const areBlocksLostWith = (name: KeyName): boolean => ['blocks', 'sessions', 'tokens'].includes(name);
