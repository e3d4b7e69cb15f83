import type { StoreFault } from '@passerby/sdk/protocol';
import { type NodeBusFault, type NodeBus, noNodeBus, type NodeMessage } from './cluster/node-bus.ts';
import { RedisNodeBus } from './cluster/redis-node-bus.ts';
import type { MonotonicClock } from './clock.ts';
import { isBug } from './errors.ts';
import type { Log } from './observability/log.ts';
import type { Metrics } from './observability/metrics.ts';
import { TAKE_TEXT } from './rate-limiting/redis-counters.ts';
import { AGREE_TEXT, ownSalts, type SaltSource, sharedSalts } from './privacy/salts.ts';
import { randomIds } from './domain/id-source.ts';
import { MemoryStore } from './state/memory/memory-store.ts';
import { checkRedis, probeRedis } from './state/redis/check-redis.ts';
import { connectionFault, explainFault } from './state/redis/connection-fault.ts';
import { evictingPolicies } from './state/redis/eviction-policy.ts';
import type { RedisAddress } from './state/redis/redis-address.ts';
import { connectRedis, onConnected, type RedisClient } from './state/redis/redis-client.ts';
import { whyNotOpened } from './state/redis/opening-error.ts';
import { RedisStore } from './state/redis/redis-store.ts';
import { calledCommands, missingRight } from './state/redis/script-rights.ts';
import { SCRIPTS } from './state/redis/scripts.ts';
import type { NodeId, SiteId } from './domain/ids.ts';
import type { StateStore } from './state/state-store.ts';

/** State store and node bus of a service. */
export interface Backend {
  readonly name: string;
  readonly store: StateStore;
  readonly bus: NodeBus;
  readonly salts: SaltSource;
  /** Where counts are kept that all nodes share; `null` where there is one node. */
  readonly redis: RedisClient | null;
  /** True if the sites are on several servers, so that one of them may be away. */
  readonly isSharded: boolean;
  /** Fault that keeps the store from being reached at this moment; `null` if there is none, as far as is known. */
  reachFault(): StoreFault | null;
  /** Why nothing comes through from other processes; `undefined` while it does, or while there are none. */
  busFault(): NodeBusFault | undefined;
  /** Writes the least there is to write. Rejects if the store takes no writes. */
  probe(): Promise<unknown>;
  /**
   * A command that a script calls and the user of the store may not run; `null` if there is none. Rejects if it cannot be
   * found out.
   */
  missingRight(): Promise<string | null>;
  /** Calls back whenever a server of the store is reached anew. */
  onReached(listener: () => void): void;
  /** Fault that a failure of the store stands for. */
  faultOf(thrown: unknown): StoreFault;
  listen(node: NodeId, take: (message: NodeMessage) => void): Promise<void>;
  /** Does what a start needs of the store, again for a while if it fails. Rejects with words that name what to set right. */
  atStart(step: () => Promise<void>): Promise<void>;
  close(): void;
}

/** All in this process. */
export function memoryBackend(clock: MonotonicClock): Backend {
  return {
    name: 'memory',
    store: new MemoryStore(clock, randomIds),
    bus: noNodeBus,
    salts: ownSalts,
    redis: null,
    isSharded: false,
    reachFault: () => null,
    busFault: () => undefined,
    probe: () => Promise.resolve(),
    missingRight: () => Promise.resolve(null),
    onReached: () => undefined,
    faultOf: () => 'UNKNOWN',
    listen: () => Promise.resolve(),
    atStart: (step) => step(),
    close: () => undefined,
  };
}

/** Commands that our scripts call, whose user needs the right to each. */
const CALLED = calledCommands([...Object.values(SCRIPTS).map(({ text }) => text), TAKE_TEXT, AGREE_TEXT]);

/** Shared by all processes that name this Redis. Rejects if it cannot be reached, takes no writes or is too old. */
export async function redisBackend(address: RedisAddress, metrics: Metrics, log: Log): Promise<Backend> {
  const onFault = (reason: StoreFault) => log.warn({ reason }, 'a connection to Redis failed');
  const commands = connectRedis(address, 'commands', { onFault });
  const subscriber = connectRedis(address, 'subscription', { onFault });
  // Leases are renewed however much waits on the other connection. Tried once: the next beat comes before a retry would
  // help. The answer says nothing about the order of what the store's own connection does.
  const pulse = connectRedis(address, 'commands', { onFault });
  const leases = new RedisStore(pulse, randomIds, { retryMs: 0 });
  const bus = new RedisNodeBus(commands, subscriber, metrics, { onFaultChange: logBusFault(log) });
  const close = () => {
    bus.close();
    for (const connection of [commands, subscriber, pulse]) connection.disconnect();
  };
  try {
    const name = `Redis ${await checkRedis(commands, { commands: CALLED })}`;
    commands.on('ready', () => void warnOfEviction(commands, log));
    await warnOfEviction(commands, log);
    return {
      name,
      store: Object.assign(new RedisStore(commands, randomIds), {
        heartbeat: (site: SiteId, node: NodeId) => leases.heartbeat(site, node),
      }),
      bus,
      salts: sharedSalts(commands),
      redis: commands,
      isSharded: address.kind === 'cluster',
      reachFault: () => connectionFault(commands),
      busFault: () => bus.fault(),
      probe: () => probeRedis(commands),
      missingRight: () => missingRight(commands, CALLED),
      onReached: (listener) => onConnected(commands, listener),
      faultOf: (thrown) => explainFault([commands, pulse], thrown),
      listen: async (node, take) => {
        try {
          await bus.listen(node, take);
        } catch (thrown) {
          close();
          if (isBug(thrown)) throw thrown;
          throw new Error(whyNotHeard(bus.fault(), subscriber, thrown as Error), { cause: thrown });
        }
      },
      atStart: async (step) => {
        try {
          await tryForAWhile(step);
        } catch (thrown) {
          close();
          if (isBug(thrown)) throw thrown;
          throw new Error(whyNotOpened(commands, thrown as Error), { cause: thrown });
        }
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

const BUS_FAULT_TEXTS: Readonly<Record<NodeBusFault, string>> = {
  NO_PUBLISH: 'nothing comes through from other processes: the user may not publish',
  NO_SUBSCRIBE: 'nothing comes through from other processes: the user may not subscribe',
  NO_ECHO: 'nothing comes through from other processes: what this one sends to itself does not come back',
};

function whyNotHeard(fault: NodeBusFault | undefined, subscriber: RedisClient, thrown: Error): string {
  if (fault === 'NO_PUBLISH') return 'the user of REDIS_URL may not publish (NOPERM): see docs/redis.md';
  if (fault === 'NO_SUBSCRIBE') return 'the user of REDIS_URL may not subscribe (NOPERM): see docs/redis.md';
  return whyNotOpened(subscriber, thrown);
}

/** One line whenever another reason keeps messages of other processes away, and one when they come again. */
function logBusFault(log: Log): (fault: NodeBusFault | undefined) => void {
  let isSilent = false;
  return (fault) => {
    if (fault !== undefined) log.warn({ reason: fault }, BUS_FAULT_TEXTS[fault]);
    else if (isSilent) log.info({}, 'messages of other processes come through again');
    isSilent = fault !== undefined;
  };
}

/** Time for which a start tries again what fails after the first contact, and pauses in between. Milliseconds. */
const START = { withinMs: 5_000, pauseMs: 100 } as const;

async function tryForAWhile(step: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + START.withinMs;
  for (;;) {
    try {
      return await step();
    } catch (thrown) {
      if (performance.now() > deadline) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, START.pauseMs));
    }
  }
}

/** Says so where a full Redis would remove keys: whichever it is, a site stops or forgets whom it keeps apart. */
async function warnOfEviction(redis: RedisClient, log: Log): Promise<void> {
  // A connection that breaks meanwhile asks again once it is back.
  const policies = await evictingPolicies(redis).catch(() => []);
  for (const policy of policies) {
    const reason = policy.toUpperCase().replaceAll('-', '_');
    log.warn({ reason }, 'Redis removes keys when its memory is full: set its maxmemory-policy to noeviction');
  }
}
