import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { LIMITS, SOCKET_PATH, type ErrorCode, type ResumeToken, type SiteKey } from '@passerby/sdk/protocol';
import { Server } from 'socket.io';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { MonotonicClock } from '../clock.ts';
import { Refusal, toRefusal } from '../errors.ts';
import type { FairScheduler } from '../rate-limiting/fair-scheduler.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { instanceOf, newRequestId } from '../observability/request-id.ts';
import type { Tally } from '../observability/tally.ts';
import type { Sessions, Welcome } from '../sessions/sessions.ts';
import type { Notice } from '../domain/notice.ts';
import type { SessionRef } from '../domain/session.ts';
import type { Visitor } from '../domain/visitor.ts';
import type { Site } from '../sites/site.ts';
import { findAdmittedSite, keyOf, REFUSED_ORIGIN } from '../admission/origin-check.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import type { OnlineCount } from '../sessions/online-count.ts';
import { AddressConnections } from './address-connections.ts';
import { type Credentials, readAuth, REFUSED_CROWD } from './handshake.ts';
import { boundConnections, boundPolling, closeRefused, tearDown } from './connection-bounds.ts';
import { forgetSid, isFollowUp, isJsonp, isOfAnotherPage } from './follow-up.ts';
import { spreadPackets } from './packet-queue.ts';
import type { RequestRouter } from './request-router.ts';
import { emit, emitRecovered, type SocketPush } from './socket-push.ts';
import { textParser } from './text-parser.ts';
import type { VisitorServer, VisitorSocket } from './visitor-socket.ts';
import { boundedWebSockets } from './web-sockets.ts';

export interface SocketServerParts {
  readonly sites: SiteDirectory;
  readonly sessions: Sessions;
  readonly online: OnlineCount;
  readonly push: SocketPush;
  readonly router: RequestRouter;
  /** Counts a CONNECT for the address it comes from, refused or not. Rejects with a refusal. */
  readonly admitConnect: (request: IncomingMessage) => Promise<void>;
  /** Authenticates a visitor by their address and the site's claims. Rejects with a refusal. */
  readonly visitorOf: (
    site: Site,
    key: SiteKey,
    request: IncomingMessage,
    credentials: Credentials,
  ) => Promise<Visitor>;
  /** Called once a visitor has joined: access changes made during their arrival have not been applied to them yet. */
  readonly letIn: (session: SessionRef | null, visitor: Visitor) => void;
  readonly tell: (notices: readonly Notice[]) => void;
  readonly log: Log;
  readonly tally: Tally;
  readonly bounds: ConnectionLimits;
  readonly clock: MonotonicClock;
  /** Spreads the packets of visitors over turns of the event loop. */
  readonly turns: FairScheduler;
  /** Number of trusted proxies in front. */
  readonly trustedHops: number;
  /** Returns whether new connections are refused because this node is shutting down. */
  readonly isDraining: () => boolean;
}

/** Creates the Socket.IO server, on the HTTP server's port. */
export function createSocketServer(http: HttpServer, parts: SocketServerParts): VisitorServer {
  const { sites, push, router, log, tally, bounds, clock } = parts;
  const cutFastSender = () => tally.count('fast_sender');
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
      malformed: () => tally.count('malformed_packet'),
      failed: (thrown) => log.error({ error: errorFields(thrown) }, 'packet failed'),
    }),
    allowRequest: (request, decide) => {
      const refusal = whyNot(request);
      if (refusal !== null) tally.refused('handshake', refusal);
      decide(refusal, refusal === null);
    },
    // Only lets a page read the answer, a refusal included; `allowRequest` and the check below are what refuse.
    cors: { origin: true, credentials: false, methods: ['GET', 'POST'] },
  });
  push.attach(server);
  addresses.watch(server, () => tally.refused('handshake', REFUSED_CROWD));
  boundConnections(server, bounds, () => tally.count('slow_reader'));
  boundPolling(server, bounds, clock, cutFastSender);
  spreadPackets(server, parts.turns, bounds, (connection) => {
    cutFastSender();
    tearDown(connection);
  });
  closeRefused(server);

  function whyNot(request: IncomingMessage): ErrorCode | null {
    if (isJsonp(request)) return 'bad_request';
    if (findAdmittedSite(request, sites) === null) return REFUSED_ORIGIN;
    if (parts.isDraining()) return 'unavailable';
    return addresses.isFull(request) ? REFUSED_CROWD : null;
  }

  // `allowRequest` sees handshakes only; what follows carries a `sid`, which may be stolen.
  server.engine.use((request: IncomingMessage, _response: unknown, next: (refused?: Error) => void) => {
    if (!isFollowUp(request)) {
      next();
      return;
    }
    if (isJsonp(request)) {
      next(new Error('bad_request'));
      return;
    }
    const isAdmitted = findAdmittedSite(request, sites) !== null;
    const isOther = isOfAnotherPage(request, connectionsOf(server));
    if (!isAdmitted || isOther) tally.refused('handshake', REFUSED_ORIGIN);
    if (isOther) forgetSid(request);
    next(isAdmitted ? undefined : new Error(REFUSED_ORIGIN));
  });

  server.use((socket, next) => {
    connect(socket).then(
      () => next(),
      (thrown: unknown) => {
        const refusal = toRefusal(thrown);
        tally.refused('handshake', refusal.code);
        if (refusal.code === 'internal') {
          log.error({ code: refusal.code, error: errorFields(thrown) }, 'connect failed');
        }
        next(Object.assign(new Error(refusal.message), { data: refusal.toWire() }));
      },
    );
  });

  /** Checks a CONNECT, cheapest check first. Rejects with a refusal. */
  async function connect(socket: VisitorSocket): Promise<void> {
    const site = findAdmittedSite(socket.request, sites);
    if (site === null) throw new Refusal('origin_refused');
    await parts.admitConnect(socket.request);
    const credentials = readAuth(socket.handshake.auth);
    presented.set(socket, credentials.resume);
    const visitor = await parts.visitorOf(site, keyOf(socket.request), socket.request, credentials);
    socket.data = { site, session: null, visitor };
  }

  server.on('connection', (socket) => {
    socket.on('error', () => socket.disconnect(true));
    router.open(socket);
    socket.on('disconnect', () => {
      // A connection whose visitor has left would stay for as long as it answers pings.
      socket.conn.close();
      void leave(socket);
    });
    void arrive(socket);
  });

  const presented = new WeakMap<VisitorSocket, ResumeToken | undefined>();

  async function arrive(socket: VisitorSocket): Promise<void> {
    const { site, visitor } = socket.data;
    try {
      const welcome: Welcome = (session, ready) => {
        if (!socket.connected) return false;
        push.bind(session, socket);
        if (ready.recovered) emitRecovered(socket, ready, () => void settle(session));
        else emit(socket, 'session:ready', ready);
        return true;
      };
      const arrival = await parts.sessions.arrive(site, presented.get(socket), visitor, welcome);
      if (arrival.kind === 'superseded') {
        emit(socket, 'session:superseded', {});
        socket.disconnect(true);
      }
      if (arrival.kind !== 'here') return;
      parts.tell(arrival.notices);
      parts.letIn(socket.data.session, visitor);
      await socket.join(site.id);
      await parts.online.tellArrived(site.id, (online) => emit(socket, 'site:presence', { online }));
    } catch (thrown) {
      const refusal = toRefusal(thrown);
      const requestId = newRequestId();
      tally.refused('arrival', refusal.code);
      if (refusal.code === 'internal') {
        log.error({ requestId, site: site.id, code: refusal.code, error: errorFields(thrown) }, 'arrival failed');
      }
      emit(socket, 'session:refused', { ...refusal.toWire(), instance: instanceOf(requestId) });
      socket.disconnect(true);
    }
  }

  async function settle(session: SessionRef): Promise<void> {
    try {
      await parts.sessions.settle(session);
    } catch (thrown) {
      // The token before stays good until the next resume or the session's end.
      log.warn({ site: session.site, error: errorFields(thrown) }, 'settling failed');
    }
  }

  async function leave(socket: VisitorSocket): Promise<void> {
    const { session } = socket.data;
    if (session === null || !push.unbind(session.sessionId, socket)) return;
    socket.data.session = null;
    try {
      await parts.sessions.suspend(session);
    } catch (thrown) {
      log.error({ site: session.site, error: errorFields(thrown) }, 'suspend failed');
    }
  }

  return server;
}

/** Engine.IO's connections, by `sid`. */
function connectionsOf(server: VisitorServer): Readonly<Record<string, { readonly request: IncomingMessage }>> {
  return (server.engine as unknown as { readonly clients: Record<string, { readonly request: IncomingMessage }> })
    .clients;
}
