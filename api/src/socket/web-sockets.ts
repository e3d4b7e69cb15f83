import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { MonotonicClock } from '../clock.ts';
import { PacketQuota } from './packet-quota.ts';

/**
 * WebSocket server for Engine.IO, bounded where its own options do not reach. `cut` is called for each client that
 * sends too fast.
 */
export function boundedWebSockets(bounds: ConnectionLimits, clock: MonotonicClock, cut: () => void) {
  return class BoundedWebSocketServer extends WebSocketServer {
    constructor(options: ServerOptions) {
      const limits = {
        closeTimeout: bounds.closeMs,
        maxFragments: bounds.fragmentsMax,
        maxBufferedChunks: bounds.chunksMax,
        autoPong: false,
        // One message of a connection in each turn of the event loop, whatever arrives in one piece.
        allowSynchronousEvents: false,
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
        cutIfTooFast(client);
        // Pongs pass by Engine.IO's queue. Answering the latest ping is enough (RFC 6455, 5.5.3).
        client.on('ping', (data) => {
          if (client.bufferedAmount === 0) client.pong(data);
        });
        done(client, request);
      });
    }
  };
  /**
   * Terminates a client that sends too fast. Added before any other listener, so that messages during Engine.IO's
   * upgrade to WebSocket count too.
   */
  function cutIfTooFast(client: WebSocket): void {
    const packets = new PacketQuota(bounds, clock);
    const count = (data: { readonly length: number }) => {
      if (packets.tryConsume(data.length)) return;
      // What has come already would still be read to its end.
      for (const event of COUNTED) client.removeAllListeners(event);
      cut();
      client.terminate();
    };
    for (const event of COUNTED) client.on(event, count);
  }
}

const COUNTED = ['message', 'ping', 'pong'] as const;
