import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { Bounds } from '../bounds.ts';

/** What Engine.IO makes its WebSockets with, bounded where its own options do not reach. */
export function boundedWebSockets(bounds: Bounds) {
  return class BoundedWebSocketServer extends WebSocketServer {
    constructor(options: ServerOptions) {
      const limits = {
        closeTimeout: bounds.closeMs,
        maxFragments: bounds.fragmentsMax,
        maxBufferedChunks: bounds.chunksMax,
        autoPong: false,
      };
      super({ ...options, ...limits });
    }

    override handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      done: (client: WebSocket, request: IncomingMessage) => void,
    ): void {
      super.handleUpgrade(request, socket, head, (client) => {
        // Pongs pass by Engine.IO's queue. Answering the latest ping is enough (RFC 6455, 5.5.3).
        client.on('ping', (data) => {
          if (client.bufferedAmount === 0) client.pong(data);
        });
        done(client, request);
      });
    }
  };
}
