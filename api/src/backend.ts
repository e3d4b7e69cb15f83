import { noLink, type NodeLink, type Parcel } from './cluster/node-link.ts';
import { RedisLink } from './cluster/redis-link.ts';
import type { MonotonicClock } from './clock.ts';
import type { Tally } from './observability/tally.ts';
import { ownSalts, sharedSalts, type SaltSource } from './safety/salts.ts';
import { randomIds } from './state/ids.ts';
import { MemoryStore } from './state/memory/memory-store.ts';
import { checkRedis, connectRedis, type RedisAddress, type RedisClient } from './state/redis/client.ts';
import { RedisStore } from './state/redis/redis-store.ts';
import type { NodeId, StateStore } from './state/state-store.ts';

/** What the state and the way to other nodes stand on. */
export interface Backend {
  readonly name: string;
  readonly store: StateStore;
  readonly link: NodeLink;
  readonly salts: SaltSource;
  /** Where counts are kept that all nodes share; `null` where there is one node. */
  readonly redis: RedisClient | null;
  /** Asks the store for the least it can answer. */
  ping(): Promise<unknown>;
  listen(node: NodeId, take: (parcel: Parcel) => void): Promise<void>;
  close(): void;
}

/** All in this process. */
export function memoryBackend(clock: MonotonicClock): Backend {
  return {
    name: 'memory',
    store: new MemoryStore(clock, randomIds),
    link: noLink,
    salts: ownSalts,
    redis: null,
    ping: () => Promise.resolve(),
    listen: () => Promise.resolve(),
    close: () => undefined,
  };
}

/** Shared by all processes that name this Redis. Rejects if it cannot be reached or is too old. */
export async function redisBackend(address: RedisAddress, tally: Tally): Promise<Backend> {
  const commands = connectRedis(address, 'commands');
  const subscriber = connectRedis(address, 'subscription');
  const close = () => {
    commands.disconnect();
    subscriber.disconnect();
  };
  try {
    const name = `Redis ${await checkRedis(commands)}`;
    const link = new RedisLink(commands, subscriber, tally);
    return {
      name,
      store: new RedisStore(commands, randomIds),
      link,
      salts: sharedSalts(commands),
      redis: commands,
      ping: () => commands.ping(),
      listen: (node, take) => link.listen(node, take),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
