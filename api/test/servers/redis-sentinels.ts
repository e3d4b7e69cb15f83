import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, RedisServer } from './redis-server.ts';

/** Name of the master. */
const NAME = 'chat';
/** Time for which a master may be silent before a Sentinel considers it down. Milliseconds. */
const DOWN_AFTER_MS = 1_000;
/** Maximum time until all know each other. Milliseconds. */
const MEET_MS = 50_000;

interface Sentinel {
  readonly port: number;
  readonly process: ChildProcess;
}

/** Master and replica behind three Sentinels, on loopback. */
export class RedisSentinels {
  readonly servers: RedisServer[] = [];
  readonly #sentinels: Sentinel[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'passerby-sentinel-'));

  /** `portOf` creates an address for clients of each server, such as that of a proxy. */
  static async start(
    args: readonly string[] = [],
    portOf: (server: RedisServer) => Promise<number> = ({ port }) => Promise.resolve(port),
  ): Promise<RedisSentinels> {
    const all = new RedisSentinels();
    try {
      const master = await RedisServer.start([...args, '--repl-diskless-sync-delay', '0']);
      all.servers.push(master);
      const masterPort = await portOf(master);
      const replica = await RedisServer.start([...args, '--repl-diskless-sync-delay', '0']);
      all.servers.push(replica);
      for (const [server, port] of [
        [master, masterPort],
        [replica, await portOf(replica)],
      ] as const) {
        await asAdmin(server.url, (redis) => redis.config('SET', 'replica-announce-port', port));
      }
      await asAdmin(replica.url, (redis) => redis.replicaof('127.0.0.1', masterPort));
      for (let n = 0; n < 3; n++) await all.#addSentinel(masterPort);
      await all.#untilMet();
      return all;
    } catch (error) {
      await all.stop();
      throw error;
    }
  }

  /** `credentials` are those of a user of the servers, as `name:password@`. */
  urlFor(credentials: string): string {
    return `redis+sentinel://${credentials}${this.#sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`;
  }

  /** Signals the first Sentinel. */
  signalSentinel(signal: NodeJS.Signals): void {
    this.#sentinels[0]!.process.kill(signal);
  }

  /** Returns the server that reports itself as the master. */
  async master(): Promise<RedisServer> {
    for (const server of this.servers) {
      const role = await asAdmin(server.url, (redis) => redis.call('ROLE') as Promise<unknown[]>).catch(() => []);
      if (String(role[0]) === 'master') return server;
    }
    throw new Error('no server is a master');
  }

  /** Promotes the replica while the master lives on. */
  async failOver(): Promise<void> {
    await this.#ask(1, (redis) => redis.call('SENTINEL', 'FAILOVER', NAME));
  }

  async stop(): Promise<void> {
    for (const { process } of this.#sentinels) {
      const ended = once(process, 'exit');
      process.kill('SIGKILL');
      await ended;
    }
    await Promise.all(this.servers.map((server) => server.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #addSentinel(masterPort: number): Promise<void> {
    const port = await freePort();
    const file = join(this.#directory, `${port}.conf`);
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${this.#directory}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} 3000`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
    process.once('exit', () => void child.kill('SIGKILL'));
    this.#sentinels.push({ port, process: child });
  }

  async #untilMet(): Promise<void> {
    const deadline = Date.now() + MEET_MS;
    for (let n = 0; n < this.#sentinels.length;) {
      const fields = (await this.#ask(n, (redis) => redis.call('SENTINEL', 'MASTER', NAME)).catch(
        () => [],
      )) as string[];
      const valueOf = (name: string) => fields[fields.indexOf(name) + 1];
      if (valueOf('num-slaves') === '1' && valueOf('num-other-sentinels') === '2') n++;
      else if (Date.now() > deadline) throw new Error(`the Sentinels do not know each other: ${fields.join(' ')}`);
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #ask<Result>(n: number, act: (redis: Redis) => Promise<Result>): Promise<Result> {
    return asAdmin(`redis://127.0.0.1:${this.#sentinels[n]!.port}`, act);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function asAdmin<Result>(url: string, act: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(url, { commandTimeout: 2_000, maxRetriesPerRequest: 1, enableReadyCheck: false });
  redis.on('error', () => undefined);
  try {
    return await act(redis);
  } finally {
    redis.disconnect();
  }
}
