import { Cluster, type Redis } from 'ioredis';
import { ForeignAnswer, renewConnection } from './foreign-answer.ts';
import { PREFIX } from './keys.ts';
import { whyNotOpened } from './opening-error.ts';
import type { RedisClient } from './redis-client.ts';
import { missingRight } from './script-rights.ts';
import { isDenied, isOfSelect, storeFaultOf } from './store-fault.ts';

/** Oldest supported major version of Redis, with features that the scripts use. */
export const REDIS_MAJOR_MIN = 7;

/** Maximum time that a start waits for Redis. Milliseconds. */
const FIRST_CONTACT_MS = 5_000;
const FIRST_CONTACT_PAUSE_MS = 50;

/** Key that the probe writes, which expires after a millisecond. One for all processes is enough. */
export const PROBE_KEY = `${PREFIX}probe`;

/** Makes a minimal write. Rejects if Redis takes no writes, or if its replies do not belong to their commands. */
export async function probeRedis(client: RedisClient): Promise<'OK'> {
  const answer: unknown = await client.set(PROBE_KEY, '', 'PX', 1);
  if (answer === 'OK') return answer;
  renewConnection(client);
  throw new ForeignAnswer('the probe: the answer is of another command');
}

export interface CheckOptions {
  readonly withinMs?: number;
  /** Commands that scripts call. */
  readonly commands?: readonly string[];
}

/**
 * Resolves to the version of the Redis (or Valkey) that answers and takes writes. Rejects with an `Error` for operators
 * that names `REDIS_URL` if none does in time, if it is too old, if the database cannot be chosen, or if the user may
 * not run one of `commands` inside scripts.
 */
export async function checkRedis(client: RedisClient, options: CheckOptions = {}): Promise<string> {
  const { withinMs = FIRST_CONTACT_MS, commands = [] } = options;
  const deadline = performance.now() + withinMs;
  // Why there is no connection; a command only learns that there is none.
  let lastError: Error | null = null;
  const note = (error: Error) => {
    // That of a Cluster says no more of nodes that were not reached.
    if (storeFaultOf(error) !== 'CLOSED' || client instanceof Cluster) lastError = error;
  };
  client.on('error', note);
  client.on('node error', note);
  try {
    for (;;) {
      let hasAnswered = false;
      try {
        const info = String(await client.info('server'));
        hasAnswered = client.status === 'ready';
        const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'of an unknown version';
        if (Number.parseInt(version, 10) < REDIS_MAJOR_MIN)
          throw new Unusable(`Redis ${version} is too old: ${REDIS_MAJOR_MIN} or newer is needed`);
        // INFO is let through before the connection takes anything else.
        if (!hasAnswered) throw new Error('the connection is not ready');
        await probeRedis(client);
        const missing = await missingRight(client, commands);
        if (missing !== null)
          throw new Unusable(`the user of REDIS_URL may not run ${missing} inside scripts (NOPERM): see docs/redis.md`);
        return version;
      } catch (thrown) {
        if (thrown instanceof Unusable) throw thrown;
        const error = (hasAnswered ? null : lastError) ?? (thrown as Error);
        if (isOfSelect(error)) {
          const { db } = (client as Redis).options;
          throw new Unusable(`the database ${db} that REDIS_URL names cannot be chosen: ${error.message}`);
        }
        // Nothing to wait for: who grants the right has to start the service again anyway.
        if (isDenied(error.message))
          throw new Unusable(`the user of REDIS_URL lacks a right (${error.message}): see docs/redis.md`);
        if (performance.now() > deadline) throw new Error(whyNotOpened(client, error), { cause: error });
        await new Promise((resolve) => setTimeout(resolve, FIRST_CONTACT_PAUSE_MS));
      }
    }
  } finally {
    client.off('error', note);
    client.off('node error', note);
  }
}

class Unusable extends Error {}
