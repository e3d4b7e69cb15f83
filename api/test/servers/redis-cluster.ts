import { Redis } from 'ioredis';
import { freePort, RedisServer } from './redis-server.ts';

const SLOTS = 16_384;
/** Maximum time until three masters know each other. Milliseconds. */
const MEET_MS = 50_000;

/** Real Redis Cluster of three masters, on loopback. */
export class RedisCluster {
  readonly servers: readonly RedisServer[];
  readonly #shownPorts: number[] = [];

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
  }

  /** `args` are for every master; `portOf` creates an address for clients of each, such as that of a proxy. */
  static async start(
    args: readonly string[] = [],
    portOf?: (server: RedisServer) => Promise<number>,
  ): Promise<RedisCluster> {
    const servers: RedisServer[] = [];
    const cluster = new RedisCluster(servers);
    try {
      for (let n = 0; n < 3; n++) {
        // Unsaid it would be the port plus 10,000, which may be above what there is.
        const busPort = String(await freePort());
        servers.push(
          await RedisServer.start([
            '--cluster-enabled',
            'yes',
            '--cluster-port',
            busPort,
            '--cluster-node-timeout',
            '5000',
            ...args,
          ]),
        );
      }
      if (portOf !== undefined) {
        await cluster.#each(async (redis, index) => {
          cluster.#shownPorts[index] = await portOf(servers[index]!);
          await redis.config('SET', 'cluster-announce-port', cluster.#shownPorts[index]!);
        });
      }
      await cluster.#join();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Ports at which clients connect to the masters. */
  get ports(): readonly number[] {
    return this.servers.map(({ port }, index) => this.#shownPorts[index] ?? port);
  }

  get url(): string {
    return this.urlFor('');
  }

  /** `credentials` are those of a user, as `name:password@`. */
  urlFor(credentials: string): string {
    return `redis+cluster://${credentials}${this.ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** Returns the master that serves a key. */
  async ownerOf(key: string): Promise<RedisServer> {
    const owners = await this.#each(async (redis) => {
      const nodes = String(await redis.call('CLUSTER', 'NODES'));
      const [, ranges] = /myself.* connected(.*)/.exec(nodes) ?? [];
      const slot = Number(await redis.cluster('KEYSLOT', key));
      return [...(ranges ?? '').matchAll(/ (\d+)(?:-(\d+))?/g)].some(
        ([, from, to = from]) => Number(from) <= slot && slot <= Number(to),
      );
    });
    return this.servers[owners.indexOf(true)]!;
  }

  /**
   * Moves the slot of a key to another master, as `redis-cli --cluster reshard` does. `during` is awaited while the
   * slot migrates and its keys are still in place.
   */
  async moveSlot(key: string, during: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const from = this.servers.indexOf(await this.ownerOf(key));
    const to = (from + 1) % this.servers.length;
    const ids = await this.#each(async (redis) => String(await redis.call('CLUSTER', 'MYID')));
    const [source, target] = [new Redis(this.servers[from]!.url), new Redis(this.servers[to]!.url)];
    try {
      const slot = await source.cluster('KEYSLOT', key);
      await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]!);
      await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]!);
      await during();
      for (;;) {
        const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
        if (keys.length === 0) break;
        await source.call('MIGRATE', '127.0.0.1', this.servers[to]!.port, '', 0, 5_000, 'KEYS', ...keys);
      }
      for (const redis of [target, source]) await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!);
      await this.#each((redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!));
    } finally {
      source.disconnect();
      target.disconnect();
    }
  }

  /** Empties every master. */
  async flush(): Promise<void> {
    await this.#each(async (redis) => void (await redis.flushall()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  async #join(): Promise<void> {
    const share = Math.ceil(SLOTS / this.servers.length);
    const buses = await this.#each(async (redis) =>
      String(((await redis.config('GET', 'cluster-port')) as string[])[1]),
    );
    await this.#each((redis, index) => {
      const from = index * share;
      return redis.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.min(from + share, SLOTS) - 1);
    });
    const deadline = Date.now() + MEET_MS;
    for (let round = 0; ; round++) {
      // An introduction that is lost on a busy machine is not made again by itself.
      if (round % 20 === 0) await this.#introduce(buses);
      const states = await this.#each(async (redis) => String(await redis.call('CLUSTER', 'INFO')));
      if (states.every((state) => /cluster_state:ok/.test(state) && /cluster_known_nodes:3/.test(state))) return;
      if (Date.now() > deadline) throw new Error(`the masters do not know each other: ${states[0]}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Introduces the masters to each other: gossip alone would take longer. */
  async #introduce(buses: readonly string[]): Promise<void> {
    await this.#each(async (redis, index) => {
      const known = String(await redis.call('CLUSTER', 'NODES'));
      for (const [other, { port }] of this.servers.entries()) {
        if (other === index || known.includes(`:${port}@`)) continue;
        await redis.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[other]!);
      }
    });
  }

  async #each<Result>(act: (redis: Redis, index: number) => Promise<Result>): Promise<Result[]> {
    return Promise.all(
      this.servers.map(async (server, index) => {
        const redis = new Redis(server.url);
        try {
          return await act(redis, index);
        } finally {
          redis.disconnect();
        }
      }),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
