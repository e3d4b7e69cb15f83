import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Bounds } from '../bounds.ts';

/** The HTTP server that both doors stand on. `upgradePath` is where a connection may become something else. */
export function createListener(answer: RequestListener, bounds: Bounds, upgradePath: string): Server {
  const server = createServer(
    {
      maxHeaderSize: bounds.headMaxBytes,
      headersTimeout: bounds.headMs,
      requestTimeout: bounds.requestMs,
      connectionsCheckingInterval: bounds.overdueCheckMs,
      keepAliveTimeout: bounds.keepAliveMs,
    },
    answer,
  );
  server.maxConnections = bounds.connectionsMax;
  server.timeout = bounds.stillMs;
  // From here on no time above counts for it, and nobody else would ever close it.
  server.on('upgrade', ({ url = '' }, socket) => {
    if (!url.startsWith(upgradePath)) socket.destroy();
  });
  return server;
}

/**
 * Closes a connection that asks again before it was answered, to whichever door. Browsers and proxies do
 * not, and each answer that waits behind one that is not read costs its memory: 64 KiB of requests for a
 * file cost 190 MB. For a server that has all its listeners.
 */
export function answerOneAtATime(server: Server): void {
  const listeners = server.listeners('request') as RequestListener[];
  const busy = new WeakSet<Socket>();
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const { socket } = request;
    if (busy.has(socket)) {
      socket.destroy();
      return;
    }
    busy.add(socket);
    response.once('finish', () => busy.delete(socket));
    for (const listener of listeners) listener.call(server, request, response);
  });
}
