import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NodeMessage } from '../../src/cluster/node-bus.ts';
import { RedisNodeBus } from '../../src/cluster/redis-node-bus.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import type { Redis } from 'ioredis';
import { parseRedisUrl } from '../../src/state/redis/redis-address.ts';
import { connectRedis, type RedisClient } from '../../src/state/redis/redis-client.ts';
import type { NodeId, SessionId } from '../../src/domain/ids.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const NODE = 'n_1' as NodeId;

describe('node bus with a failing subscription', () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let publisher: RedisClient;
  let subscriber: Redis;
  let metrics: Metrics;
  let bus: RedisNodeBus;
  const received: NodeMessage[] = [];
  beforeEach(async () => {
    received.length = 0;
    server = await RedisServer.start();
    proxy = await TcpProxy.start(server.port);
    publisher = connectRedis(parseRedisUrl(server.url), 'commands');
    subscriber = connectRedis(parseRedisUrl(`redis://127.0.0.1:${proxy.port}`), 'subscription');
    metrics = new Metrics();
    bus = new RedisNodeBus(publisher, subscriber, metrics, { echoEveryMs: 100 });
    await bus.listen(NODE, (message) => received.push(message));
  });
  afterEach(async () => {
    bus.close();
    publisher.disconnect();
    subscriber.disconnect();
    await proxy.stop();
    await server.stop();
  });

  /** Sends until a message arrives: messages sent without a subscriber are lost, and recovered elsewhere. */
  const arrivesAgain = async () => {
    received.length = 0;
    await expect
      .poll(
        () => {
          bus.send(NODE, { kind: 'superseded', sessionId: 's_a' as SessionId, fence: 2 });
          return received.length;
        },
        { timeout: 60_000, interval: 50 },
      )
      .toBeGreaterThan(0);
  };

  test.each([
    ['was reset', () => proxy.reset()],
    ['was cut', () => proxy.cut()],
    ['is half-open', () => proxy.goSilent()],
    ['is refused for a while', () => proxy.refuse(700)],
    [
      'loses the replies of every new attempt for a while',
      async () => {
        proxy.reset();
        await proxy.loseReplies(2_600);
      },
    ],
    [
      'loses replies and goes on',
      async () => {
        proxy.reset();
        await proxy.loseReplies(2_600, { isBroken: false });
      },
    ],
  ])('receives again after the connection %s', async (_, fail) => {
    await arrivesAgain();
    await fail();
    await arrivesAgain();
  });

  test('receives again after a connection that lives and answers, and carries no messages', async () => {
    await arrivesAgain();
    // As on a node that was taken out of its Cluster: pings are answered, and no message comes.
    await subscriber.unsubscribe(`passerby:node:${NODE}`);
    await arrivesAgain();
    expect(metrics.countOf('passerby_incidents_total', { kind: 'subscriptions_lost' })).toBe(1);
  });

  test('keeps its connection while its echoes come back', async () => {
    const echoes = vi.fn();
    subscriber.on('message', echoes);
    await expect.poll(() => echoes.mock.calls.length).toBeGreaterThan(5);
    expect(metrics.countOf('passerby_incidents_total', { kind: 'subscriptions_lost' })).toBe(0);
    expect(metrics.countOf('passerby_incidents_total', { kind: 'parcels_malformed' })).toBe(0);
  });

  test('receives again after Redis was stopped for longer than a command waits', async () => {
    proxy.reset();
    server.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2_600));
    server.signal('SIGCONT');
    await arrivesAgain();
  });
});
