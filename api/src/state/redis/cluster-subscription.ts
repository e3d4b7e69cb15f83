import { Redis } from 'ioredis';
import type { ConnectionOptions } from './connection-options.ts';
import { hostsInTurn, type HostList } from './hosts-in-turn.ts';
import type { Host, RedisAddress } from './redis-address.ts';

/**
 * Creates a connection to one node of a Cluster, any of which accepts subscriptions, and to the next one when it fails.
 * The subscriber inside ioredis has no deadlines, and receives nothing any more after a frozen node or a lost
 * connection.
 */
export function clusterSubscription(
  address: Extract<RedisAddress, { kind: 'cluster' }>,
  options: ConnectionOptions,
): Redis {
  const hosts: HostList = { all: address.hosts };
  const client = new Redis({ ...options, ...address.options, Connector: hostsInTurn(hosts, address.options.tls) });
  client.on('ready', () => {
    client
      .cluster('SLOTS')
      .then((slots) => (hosts.all = hostsOf(slots as readonly unknown[][], address.hosts)))
      // The nodes known so far go on being tried; a connection that does not answer is made anew by its pings. An answer
      // to another command is no list of nodes, and fails too.
      .catch(() => undefined);
  });
  return client;
}

/** Returns the known hosts, followed by the masters and replicas of `CLUSTER SLOTS`. */
function hostsOf(slots: readonly unknown[][], known: readonly Host[]): readonly Host[] {
  const byName = new Map(known.map((host) => [`${host.host}:${host.port}`, host]));
  for (const [, , ...nodes] of slots) {
    for (const [host, port] of nodes as [unknown, unknown][]) {
      // Empty where a node does not know by which address it is reached.
      if (typeof host === 'string' && host !== '' && typeof port === 'number')
        byName.set(`${host}:${port}`, { host, port });
    }
  }
  return [...byName.values()];
}
