import { createServer, type RequestListener, type Server } from 'node:http';
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
