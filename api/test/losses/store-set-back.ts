import type { Redis } from 'ioredis';
import { pause } from '../faults/patience.ts';
import type { Targets } from '../faults/targets.ts';
import type { TcpProxy } from '../faults/tcp-proxy.ts';
import { KEYS, type KeyName } from '../../src/state/redis/keys.ts';
import { KEY_NAMES } from './loss.ts';

/** Interval of the changes that are lost, under a crowd. Milliseconds. */
const FORGOTTEN_MS = 1_200;

/** Loads an earlier save, as an operator does who restores a snapshot. Needs `--enable-debug-command`. */
export async function loadOlderSnapshot(redis: Redis): Promise<void> {
  await redis.save();
  await pause(FORGOTTEN_MS);
  await redis.call('DEBUG', 'RELOAD', 'NOSAVE');
}

/** Makes a replica without the last changes the master, and sends nodes there. */
export async function promote(replica: Redis, targets: Targets, ports: { from: number; to: number }, proxy: TcpProxy) {
  await replica.replicaof('NO', 'ONE');
  await pause(FORGOTTEN_MS);
  targets.add(ports.to);
  targets.remove(ports.from);
  proxy.reset();
}

/** Bytes by which the limit is lowered in a step, and the maximum number of steps. */
const STEP_BYTES = 40_000;
const STEPS_MAX = 60;
/** Kinds of key that must have been evicted, so that not only kept replies are. */
const EVICTED_KINDS = 5;

/**
 * Fills Redis until it has evicted keys of several kinds, under one of its policies, and then lifts the limit. Returns
 * the kinds.
 */
export async function evict(redis: Redis, policy: string): Promise<readonly KeyName[]> {
  const evicted = new Set<KeyName>();
  await redis.config('SET', 'maxmemory-policy', policy);
  let before = await kindsOf(redis);
  for (let step = 0; step < STEPS_MAX && evicted.size < EVICTED_KINDS; step++) {
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1]);
    await redis.config('SET', 'maxmemory', used - STEP_BYTES);
    const after = await kindsOf(redis);
    // These no visitor's doing empties within a step: gone is evicted.
    for (const name of before) if (!after.has(name)) evicted.add(name);
    await pause(50);
    before = await kindsOf(redis);
  }
  await redis.config('SET', 'maxmemory', '0');
  return [...evicted];
}

async function kindsOf(redis: Redis): Promise<Set<KeyName>> {
  const keys = await redis.keys('*');
  return new Set(
    KEY_NAMES.filter((name) => KEYS[name].holds.startsWith('hash') && keys.some((key) => key.endsWith(`:${name}`))),
  );
}
