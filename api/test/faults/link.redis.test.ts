import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Parcel } from '../../src/cluster/node-link.ts';
import { RedisLink } from '../../src/cluster/redis-link.ts';
import { Tally } from '../../src/observability/tally.ts';
import { connectRedis, parseRedisUrl, type RedisClient } from '../../src/state/redis/client.ts';
import type { NodeId, SessionId } from '../../src/state/state-store.ts';
import { RedisServer } from '../servers/redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const NODE = 'n_1' as NodeId;

describe('the link between nodes, whose subscription fails', { timeout: 20_000 }, () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let publisher: RedisClient;
  let subscriber: RedisClient;
  let link: RedisLink;
  const received: Parcel[] = [];
  beforeEach(async () => {
    received.length = 0;
    server = await RedisServer.start();
    proxy = await TcpProxy.start(server.port);
    publisher = connectRedis(parseRedisUrl(server.url), 'commands');
    subscriber = connectRedis(parseRedisUrl(`redis://127.0.0.1:${proxy.port}`), 'subscription');
    link = new RedisLink(publisher, subscriber, new Tally());
    await link.listen(NODE, (parcel) => received.push(parcel));
  });
  afterEach(async () => {
    publisher.disconnect();
    subscriber.disconnect();
    await proxy.stop();
    await server.stop();
  });

  /** Sends until something arrives: what is sent while nobody listens is lost, and healed elsewhere. */
  const arrivesAgain = async () => {
    received.length = 0;
    await expect
      .poll(
        () => {
          link.send(NODE, { kind: 'superseded', sessionId: 's_a' as SessionId, fence: 2 });
          return received.length;
        },
        { timeout: 8_000, interval: 50 },
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
  ])('hears again after the connection %s', async (_, fail) => {
    await arrivesAgain();
    await fail();
    await arrivesAgain();
  });

  test('hears again after Redis was stopped for longer than a command waits', async () => {
    proxy.reset();
    server.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2_600));
    server.signal('SIGCONT');
    await arrivesAgain();
  });
});
