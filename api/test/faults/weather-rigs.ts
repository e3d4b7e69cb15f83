import { Redis } from 'ioredis';
import { keyOf } from '../../src/state/redis/keys.ts';
import { SHOP } from '../harness.ts';
import { RedisCluster } from '../servers/redis-cluster.ts';
import { RedisSentinels } from '../servers/redis-sentinels.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { Targets } from './targets.ts';
import { TcpProxy } from './tcp-proxy.ts';

export const TOPOLOGIES = ['single', 'Sentinel', 'Cluster'] as const;
export type Topology = (typeof TOPOLOGIES)[number];

/** User of the service, so that faults affect neither the Sentinels nor the test. */
const USER = 'passerby';
/** `--enable-debug-command` is needed for loading. */
const ARGS = ['--enable-debug-command', 'yes'];

/** Servers in one topology, each behind a proxy, and their faults. */
export interface Rig {
  readonly url: string;
  readonly servers: readonly RedisServer[];
  readonly proxies: readonly TcpProxy[];
  /** Moves the service to another server. */
  move(): Promise<void>;
  /** Ends the server that the service uses, and replaces it by an empty one. */
  lose(): Promise<void>;
  /**
   * Freezes the server that the service uses, with whatever is beside it on its machine. Resolves to the function that
   * resumes it.
   */
  freeze(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export async function startRig(topology: Topology): Promise<Rig> {
  const rig = await STARTS[topology]();
  await onEach(rig, (redis) =>
    redis.call('ACL', 'SETUSER', USER, 'on', '>right', '~passerby:*', '&passerby:*', '+@all'),
  );
  return rig;
}

const CREDENTIALS = `${USER}:right@`;

const STARTS: Readonly<Record<Topology, () => Promise<Rig>>> = {
  single: async () => {
    const servers = [await RedisServer.start(ARGS), await RedisServer.start(ARGS)];
    const targets = new Targets(servers[0]!.port);
    const proxy = await TcpProxy.start(targets);
    let current = 0;
    return {
      url: `redis://${CREDENTIALS}127.0.0.1:${proxy.port}`,
      servers,
      proxies: [proxy],
      move: async () => {
        targets.remove(servers[current]!.port);
        current = 1 - current;
        targets.add(servers[current]!.port);
        proxy.reset();
      },
      lose: () => restartEmpty(servers[current]!),
      freeze: () => Promise.resolve(frozen(servers[current]!)),
      stop: async () => {
        await proxy.stop();
        await Promise.all(servers.map((server) => server.stop()));
      },
    };
  },
  Sentinel: async () => {
    const proxies: TcpProxy[] = [];
    const all = await RedisSentinels.start(ARGS, (server) => proxied(server, proxies));
    return {
      url: all.urlFor(CREDENTIALS),
      servers: all.servers,
      proxies,
      move: async () => {
        const before = await all.master();
        await all.failOver();
        await until(async () => (await all.master().catch(() => before)) !== before);
      },
      lose: async () => {
        const master = await all.master();
        const replica = all.servers.find((server) => server !== master)!;
        await asAdmin(replica, async (redis) => {
          await redis.config('SET', 'replica-read-only', 'no');
          await redis.flushall();
        });
        await master.crash();
        await until(async () => (await all.master().catch(() => master)) === replica);
        // The one that has gone follows the new master once it is back.
        await master.revive();
        await grantUser(master);
      },
      freeze: async () => {
        const wake = frozen(await all.master());
        all.signalSentinel('SIGSTOP');
        return async () => {
          all.signalSentinel('SIGCONT');
          await wake();
        };
      },
      stop: async () => {
        await all.stop();
        await Promise.all(proxies.map((proxy) => proxy.stop()));
      },
    };
  },
  Cluster: async () => {
    const proxies: TcpProxy[] = [];
    const all = await RedisCluster.start(ARGS, (server) => proxied(server, proxies));
    const key = keyOf('sessions', SHOP.id, '');
    return {
      url: all.urlFor(CREDENTIALS),
      servers: all.servers,
      proxies,
      move: () => all.moveSlot(key),
      lose: async () => restartEmpty(await all.ownerOf(key)),
      freeze: async () => frozen(await all.ownerOf(key)),
      stop: async () => {
        await all.stop();
        await Promise.all(proxies.map((proxy) => proxy.stop()));
      },
    };
  },
};

/** Sets the same on every server that answers. */
export async function onEach(rig: Pick<Rig, 'servers'>, act: (redis: Redis) => Promise<unknown>): Promise<void> {
  await Promise.all(rig.servers.map((server) => asAdmin(server, act)));
}

/** Changes the permissions of the service's user. Its connections are ended, so that each authenticates again. */
export async function setUser(rig: Rig, ...rules: readonly string[]): Promise<void> {
  await onEach(rig, async (redis) => {
    await redis.call('ACL', 'SETUSER', USER, ...rules);
    await redis.call('CLIENT', 'KILL', 'USER', USER);
  });
}

async function proxied(server: RedisServer, proxies: TcpProxy[]): Promise<number> {
  const proxy = await TcpProxy.start(server.port);
  proxies.push(proxy);
  return proxy.port;
}

const grantUser = (server: RedisServer) =>
  asAdmin(server, (redis) => redis.call('ACL', 'SETUSER', USER, 'on', '>right', '~passerby:*', '&passerby:*', '+@all'));

async function restartEmpty(server: RedisServer): Promise<void> {
  await server.crash();
  await server.revive();
  await grantUser(server);
}

function frozen(server: RedisServer): () => Promise<void> {
  server.signal('SIGSTOP');
  return () => {
    server.signal('SIGCONT');
    return Promise.resolve();
  };
}

async function asAdmin<Result>(server: RedisServer, act: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(server.url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    return await act(redis);
  } finally {
    redis.disconnect();
  }
}

/** Maximum time for a topology to become consistent. Milliseconds. */
const ARRANGE_MS = 60_000;

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ARRANGE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('the servers did not arrange themselves');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
