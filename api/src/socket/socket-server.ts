import type { Server as HttpServer } from 'node:http';
import { LIMITS, SOCKET_PATH } from '@passerby/sdk/protocol';
import { Server } from 'socket.io';
import type { MonotonicClock } from '../clock.ts';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { FairScheduler } from '../rate-limiting/fair-scheduler.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import { AddressConnections } from './address-connections.ts';
import { boundConnections, boundPolling, closeRefused, tearDown } from './connection-bounds.ts';
import { admitFollowUps, admitHandshakes } from './handshake-admission.ts';
import { REFUSED_CROWD } from './handshake.ts';
import { spreadPackets } from './packet-queue.ts';
import { textParser } from './text-parser.ts';
import type { VisitorServer } from './visitor-socket.ts';
import { boundedWebSockets } from './web-sockets.ts';

export interface SocketServerParts {
  readonly sites: SiteDirectory;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly bounds: ConnectionLimits;
  readonly clock: MonotonicClock;
  /** Number of trusted proxies in front. */
  readonly trustedHops: number;
  /** Returns whether new connections are refused because this node is shutting down. */
  readonly isDraining: () => boolean;
}

/** Creates the Socket.IO server on the HTTP server's port, with bounds on every connection. No visitor is served yet. */
export function createSocketServer(http: HttpServer, parts: SocketServerParts): VisitorServer {
  const { log, metrics, bounds, clock } = parts;
  const cutFastSender = () => metrics.count('passerby_incidents_total', { kind: 'fast_sender' });
  const addresses = new AddressConnections(bounds.addressConnectionsMax, parts.trustedHops);
  const server: VisitorServer = new Server(http, {
    path: SOCKET_PATH,
    serveClient: false,
    transports: ['websocket', 'polling'],
    maxHttpBufferSize: LIMITS.packetMaxBytes,
    perMessageDeflate: false,
    httpCompression: false,
    connectTimeout: bounds.joinMs,
    upgradeTimeout: bounds.joinMs,
    pingInterval: bounds.pingIntervalMs,
    pingTimeout: bounds.pingTimeoutMs,
    wsEngine: boundedWebSockets(bounds, clock, cutFastSender),
    // The listener does, at once.
    destroyUpgrade: false,
    parser: textParser({
      malformed: () => metrics.count('passerby_incidents_total', { kind: 'malformed_packet' }),
      failed: (thrown) => log.error({ error: errorFields(thrown) }, 'packet failed'),
    }),
    allowRequest: admitHandshakes({ ...parts, addresses }),
    // Only lets a page read the answer, a refusal included; the checks of handshakes and follow-ups are what refuse.
    cors: { origin: true, credentials: false, methods: ['GET', 'POST'] },
  });
  addresses.watch(server, () => metrics.count('passerby_refusals_total', { door: 'handshake', code: REFUSED_CROWD }));
  boundConnections(server, bounds, () => metrics.count('passerby_incidents_total', { kind: 'slow_reader' }));
  boundPolling(server, bounds, clock, cutFastSender);
  spreadPackets(server, new FairScheduler(), bounds, (connection) => {
    cutFastSender();
    tearDown(connection);
  });
  closeRefused(server);
  admitFollowUps(server, parts);
  return server;
}
