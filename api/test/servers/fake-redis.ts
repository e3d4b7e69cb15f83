import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Server that speaks just enough of Redis's protocol to report a version. */
export async function startFakeRedis(version: string): Promise<{ url: string } & AsyncDisposable> {
  const info = `# Server\r\nredis_version:${version}\r\n`;
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      // Commands are small here: each arrives whole, as an array of bulk strings.
      for (const command of String(chunk)
        .split(/^\*\d+\r\n/m)
        .slice(1)) {
        const [name = ''] = command.split('\r\n').filter((_, line) => line % 2 === 1);
        socket.write(/^info$/i.test(name) ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
