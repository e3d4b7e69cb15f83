import { once } from 'node:events';
import { expect, test, describe } from 'vitest';
import { connectRedis, type RedisClient } from '../../src/state/redis/redis-client.ts';
import { allSlotsAt, greet, ScriptedRedis, type Answer } from '../servers/scripted-redis.ts';

/** Client of a Cluster whose slots all migrate to a node that treats `ASKING` like this. */
async function clusterOnTheMove(asking: Answer) {
  let asked = 0;
  const target = await ScriptedRedis.start((words, socket) => {
    if (words[0]!.toLowerCase() !== 'asking') return greet(words);
    asked++;
    return asking(words, socket);
  });
  const source = await ScriptedRedis.start((words) => {
    const [name, word] = words.map((word) => word.toLowerCase());
    if (name === 'cluster' && word === 'slots') return allSlotsAt(source.port);
    return greet(words) ?? `-ASK 866 127.0.0.1:${target.port}\r\n`;
  });
  const address = { kind: 'cluster', hosts: [{ host: '127.0.0.1', port: source.port }], options: {} } as const;
  const client = connectRedis(address, 'commands');
  await once(client, 'ready');
  return { client, asked: () => asked, stop: () => stop(client, source, target) };
}

async function stop(client: RedisClient, ...servers: readonly ScriptedRedis[]): Promise<void> {
  client.disconnect();
  for (const server of servers) await server[Symbol.asyncDispose]();
}

// What is dropped is an unhandled rejection, which fails the whole run.
describe('ASKING, whose promise ioredis drops', () => {
  test.concurrent.each<[string, Answer]>([
    [
      'is answered too slowly, byte by byte',
      (_, socket) => {
        const bytes = [...'+OKOKOKOKOKOKOKOK'];
        const timer = setInterval(() => {
          const next = bytes.shift();
          if (next === undefined || !socket.writable) clearInterval(timer);
          else socket.write(next);
        }, 300);
        return null;
      },
    ],
    ['is never answered', () => null],
    [
      'has its connection closed',
      (_, socket) => {
        socket.destroy();
        return null;
      },
    ],
    ['is refused', () => "-NOPERM this user has no permissions to run the 'asking' command\r\n"],
  ])('%s: the caller hears of it, and nobody else', async (_, asking) => {
    const stage = await clusterOnTheMove(asking);
    try {
      await expect(stage.client.get('passerby:{a}:b')).rejects.toThrow();
      expect(stage.asked()).toBeGreaterThan(0);
    } finally {
      await stage.stop();
    }
  });
});
