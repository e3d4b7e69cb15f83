import { Redis } from 'ioredis';
import { freePort, RedisServer } from './redis-server.ts';

const SLOTS = 16_384;
/** How long three masters may take to know each other. Milliseconds. */
const MEET_MS = 20_000;

/** A real Redis Cluster of three masters, on loopback. */
export class RedisCluster {
  readonly servers: readonly RedisServer[];

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
  }

  static async start(): Promise<RedisCluster> {
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
          ]),
        );
      }
      await cluster.#join();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get ports(): readonly number[] {
    return this.servers.map(({ port }) => port);
  }

  get url(): string {
    return `redis+cluster://${this.ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
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
    const [first] = this.servers;
    const bus = (
      await this.#each(
        async (redis) =>
          /cluster-port\s+(\d+)/.exec(((await redis.config('GET', 'cluster-port')) as string[]).join(' '))![1]!,
      )
    )[0]!;
    await this.#each(async (redis, index) => {
      const from = index * share;
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.min(from + share, SLOTS) - 1);
      if (index > 0) await redis.call('CLUSTER', 'MEET', '127.0.0.1', first!.port, bus);
    });
    const deadline = Date.now() + MEET_MS;
    for (;;) {
      const states = await this.#each(async (redis) => String(await redis.call('CLUSTER', 'INFO')));
      if (states.every((state) => /cluster_state:ok/.test(state) && /cluster_known_nodes:3/.test(state))) return;
      if (Date.now() > deadline) throw new Error(`the masters do not know each other: ${states[0]}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
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
