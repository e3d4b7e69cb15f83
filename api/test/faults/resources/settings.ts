import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQLITE_FILE } from '../../../src/records/records.ts';
import { PostgresServer } from '../../servers/postgres-server.ts';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import { RedisSentinels } from '../../servers/redis-sentinels.ts';
import { freePort, RedisServer } from '../../servers/redis-server.ts';
import { TcpProxy } from '../tcp-proxy.ts';
import { CLIENT_CONNECTIONS, clientConnection } from './client-connections.ts';
import type { Setting } from './disturbance-suite.ts';
import { DisturbedService } from './disturbed-service.ts';
import { ServerConnection } from './server-connections.ts';
import { SqliteFile } from './sqlite-file.ts';

/** Service in memory, and the connections of strangers. */
export async function clientsOfAService(connections: number): Promise<Setting> {
  const metricsPort = await freePort();
  const service = await DisturbedService.start({ METRICS_PORT: String(metricsPort) });
  const urls = { main: service.node.url, metrics: `http://127.0.0.1:${metricsPort}` };
  return {
    service,
    resources: CLIENT_CONNECTIONS.map((name) => clientConnection(name, urls)),
    // A leak is one descriptor for each connection.
    descriptorsSpare: connections / 2,
    [Symbol.asyncDispose]: () => service.stop(),
  };
}

/** Service and its single Redis. */
export async function oneRedis(): Promise<Setting> {
  await using started = new AsyncDisposableStack();
  const redis = started.use(await RedisServer.start());
  const proxy = started.use(await TcpProxy.start(redis.port));
  const service = started.use(await DisturbedService.start({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` }));
  const all = started.move();
  return {
    service,
    resources: [
      new ServerConnection('the Redis command connections', [proxy], ({ isSubscriber }) => !isSubscriber),
      new ServerConnection('a Redis subscriber', [proxy], ({ isSubscriber }) => isSubscriber),
    ],
    descriptorsSpare: 3,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Service and a Redis Cluster, each of whose masters announces a proxy as its address. */
export async function redisCluster(): Promise<Setting> {
  await using started = new AsyncDisposableStack();
  const proxies: TcpProxy[] = [];
  const cluster = started.use(
    await RedisCluster.start([], async ({ port }) => {
      const proxy = started.use(await TcpProxy.start(port));
      proxies.push(proxy);
      return proxy.port;
    }),
  );
  const service = started.use(await DisturbedService.start({ REDIS_URL: cluster.url }));
  const all = started.move();
  return {
    service,
    resources: proxies.map((proxy, index) => new ServerConnection(`master ${index + 1} of a Redis Cluster`, [proxy])),
    descriptorsSpare: 6,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Service, and three Sentinels behind proxies that monitor its Redis. */
export async function redisSentinels(): Promise<Setting> {
  await using started = new AsyncDisposableStack();
  const sentinels = started.use(await RedisSentinels.start());
  const proxies: TcpProxy[] = [];
  let url = sentinels.urlFor('');
  for (const [host, port] of url.matchAll(/127\.0\.0\.1:(\d+)/g)) {
    const proxy = started.use(await TcpProxy.start(Number(port)));
    proxies.push(proxy);
    url = url.replace(host, `127.0.0.1:${proxy.port}`);
  }
  const service = started.use(await DisturbedService.start({ REDIS_URL: url }));
  const all = started.move();
  return {
    service,
    resources: proxies.map((proxy, index) => new ServerConnection(`Sentinel ${index + 1}`, [proxy])),
    descriptorsSpare: 6,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Service and its PostgreSQL. */
export async function postgres(): Promise<Setting> {
  await using started = new AsyncDisposableStack();
  const server = started.use(await PostgresServer.start());
  const url = new URL(await server.database());
  const proxy = started.use(await TcpProxy.start(Number(url.port)));
  url.port = String(proxy.port);
  const service = started.use(await DisturbedService.start({ DATABASE_URL: url.href }));
  const all = started.move();
  return {
    service,
    resources: [new ServerConnection('a PostgreSQL client', [proxy])],
    // The pool may grow to its size.
    descriptorsSpare: 10,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Service with the embedded database. */
export async function sqlite(): Promise<Setting> {
  const folder = mkdtempSync(join(tmpdir(), 'passerby-data-'));
  const service = await DisturbedService.start({ DATA_DIR: folder });
  return {
    service,
    resources: [new SqliteFile(join(folder, SQLITE_FILE))],
    descriptorsSpare: 3,
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
