import { findAdmittedSite, keyOf } from '../admission/origin-check.ts';
import type { VisitorAuthenticator } from '../admission/visitor-authenticator.ts';
import { Refusal, toRefusal } from '../errors.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { instanceOf, newRequestId } from '../observability/request-id.ts';
import type { Metrics } from '../observability/metrics.ts';
import { clientAddress } from '../privacy/client-address.ts';
import type { SessionRateLimiter } from '../rate-limiting/session-rate-limiter.ts';
import type { AccessRevocation } from '../sessions/access-revocation.ts';
import type { OnlineCount } from '../sessions/online-count.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SiteDirectory } from '../sites/site-directory.ts';
import { readAuth } from './handshake.ts';
import type { RequestRouter } from './request-router.ts';
import { emit, SocketConnection, type SocketConnectionParts } from './socket-connection.ts';
import type { VisitorServer, VisitorSocket } from './visitor-socket.ts';

export interface VisitorArrivalParts extends SocketConnectionParts {
  readonly sites: SiteDirectory;
  readonly authenticator: VisitorAuthenticator;
  readonly sessions: Sessions;
  readonly revocation: AccessRevocation;
  readonly online: OnlineCount;
  readonly router: Pick<RequestRouter, 'open'>;
  /** Creates the limiter of a connection that has no session yet. */
  readonly createLimiter: () => SessionRateLimiter;
  /** Number of trusted proxies in front. */
  readonly trustedHops: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Authenticates visitors who connect, gives each a session, and suspends it when the connection ends. */
export function welcomeVisitors(server: VisitorServer, parts: VisitorArrivalParts): void {
  const { router, sessions, log, metrics } = parts;

  server.use((socket, next) => {
    connect(socket, parts).then(
      () => next(),
      (thrown: unknown) => {
        const refusal = toRefusal(thrown);
        metrics.count('passerby_refusals_total', { door: 'handshake', code: refusal.code });
        if (refusal.code === 'internal') {
          log.error({ code: refusal.code, error: errorFields(thrown) }, 'connect failed');
        }
        next(Object.assign(new Error(refusal.message), { data: refusal.toWire() }));
      },
    );
  });

  server.on('connection', (socket) => {
    socket.on('error', () => socket.disconnect(true));
    router.open(socket);
    socket.on('disconnect', () => {
      // A connection whose visitor has left would stay for as long as it answers pings.
      socket.conn.close();
      const { session } = socket.data;
      if (session === null) return;
      socket.data.session = null;
      sessions.disconnected(session).catch((thrown: unknown) => {
        log.error({ site: session.ref.site, error: errorFields(thrown) }, 'suspend failed');
      });
    });
    void arrive(socket, parts);
  });
}

/** Checks a CONNECT, cheapest check first. Rejects with a refusal. */
async function connect(
  socket: VisitorSocket,
  { sites, authenticator, createLimiter, trustedHops }: VisitorArrivalParts,
): Promise<void> {
  const { request } = socket;
  const site = findAdmittedSite(request, sites);
  if (site === null) throw new Refusal('origin_refused');
  const address = clientAddress(request, trustedHops);
  await authenticator.admitConnect(address);
  const credentials = readAuth(socket.handshake.auth);
  const visitor = await authenticator.authenticate(site, keyOf(request), address, credentials);
  const presented = credentials.resume;
  socket.data = { site, visitor, presented, session: null, limiter: createLimiter(), requestsInProgress: 0 };
}

async function arrive(socket: VisitorSocket, parts: VisitorArrivalParts): Promise<void> {
  const { sessions, revocation, online, log, metrics } = parts;
  const { site, visitor, presented } = socket.data;
  try {
    const arrival = await sessions.arrive(site, presented, visitor, new SocketConnection(socket, parts));
    if (arrival.kind === 'superseded') {
      emit(socket, 'session:superseded', {});
      socket.disconnect(true);
    }
    if (arrival.kind !== 'here') return;
    revocation.revokeArrived(arrival.session);
    await socket.join(site.id);
    await online.tellArrived(site.id, (bucket) => emit(socket, 'site:presence', { online: bucket }));
  } catch (thrown) {
    const refusal = toRefusal(thrown);
    const requestId = newRequestId();
    metrics.count('passerby_refusals_total', { door: 'arrival', code: refusal.code });
    if (refusal.code === 'internal') {
      log.error({ requestId, site: site.id, code: refusal.code, error: errorFields(thrown) }, 'arrival failed');
    }
    emit(socket, 'session:refused', { ...refusal.toWire(), instance: instanceOf(requestId) });
    socket.disconnect(true);
  }
}
