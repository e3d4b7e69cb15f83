import type { StoreFault } from '@passerby/sdk/protocol';
import type { Backend } from './backend.ts';
import type { NodeBusFault } from './cluster/node-bus.ts';
import { RedisNodeBus } from './cluster/redis-node-bus.ts';
import { isBug } from './errors.ts';
import type { Log } from './observability/log.ts';
import type { Metrics } from './observability/metrics.ts';
import { TAKE_TEXT } from './rate-limiting/redis-counters.ts';
import { AGREE_TEXT, sharedSalts } from './privacy/salts.ts';
import { randomIds } from './domain/id-source.ts';
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

/** Commands that the scripts call: the user of Redis needs the right to each. */
const CALLED = calledCommands([...Object.values(SCRIPTS).map(({ text }) => text), TAKE_TEXT, AGREE_TEXT]);

/**
 * Creates a backend that all processes share which name this Redis. Rejects with an `Error` for operators if it cannot be
 * reached, takes no writes or is too old.
 */
export async function redisBackend(address: RedisAddress, metrics: Metrics, log: Log): Promise<Backend> {
  const onFault = (reason: StoreFault) => log.warn({ reason }, 'a connection to Redis failed');
  const commands = connectRedis(address, 'commands', { onFault });
  const subscriber = connectRedis(address, 'subscription', { onFault });
  // Renews the leases, however much waits on the other connection. Not retried: the next heartbeat comes sooner than a
  // retry would help.
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
  NO_PUBLISH: 'no messages arrive from other processes: the Redis user may not publish',
  NO_SUBSCRIBE: 'no messages arrive from other processes: the Redis user may not subscribe',
  NO_ECHO: 'no messages arrive from other processes: the message this process sends to itself does not come back',
};

function whyNotHeard(fault: NodeBusFault | undefined, subscriber: RedisClient, thrown: Error): string {
  if (fault === 'NO_PUBLISH') return 'the user of REDIS_URL may not publish (NOPERM): see docs/redis.md';
  if (fault === 'NO_SUBSCRIBE') return 'the user of REDIS_URL may not subscribe (NOPERM): see docs/redis.md';
  return whyNotOpened(subscriber, thrown);
}

/** Returns a function that logs each new fault of the node bus, and its end. */
function logBusFault(log: Log): (fault: NodeBusFault | undefined) => void {
  let isSilent = false;
  return (fault) => {
    if (fault !== undefined) log.warn({ reason: fault }, BUS_FAULT_TEXTS[fault]);
    else if (isSilent) log.info({}, 'messages from other processes arrive again');
    isSilent = fault !== undefined;
  };
}

/** Time for which a step of the start is retried after the first contact, and the pause in between. Milliseconds. */
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

/** Warns if Redis evicts keys when its memory is full: a site would lose its queue or its blocks. */
async function warnOfEviction(redis: RedisClient, log: Log): Promise<void> {
  // After a failed connection this runs again once it is back.
  const policies = await evictingPolicies(redis).catch(() => []);
  for (const policy of policies) {
    const reason = policy.toUpperCase().replaceAll('-', '_');
    log.warn({ reason }, 'Redis removes keys when its memory is full: set its maxmemory-policy to noeviction');
  }
}
