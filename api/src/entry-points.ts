import type { Server } from 'node:http';
import { SOCKET_PATH } from '@passerby/sdk/protocol';
import type { Clock, MonotonicClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Operation } from './http/admin/operation.ts';
import { createHttpApp, routesOf } from './http/http-app.ts';
import { answerOneAtATime, createHttpServer } from './http/http-server.ts';
import { createMetricsServer, type MetricsServer } from './http/metrics-server.ts';
import { ProxyHints } from './http/proxy-hints.ts';
import { spreadRequests } from './http/spread-requests.ts';
import type { ConnectionLimits } from './limits/connection-limits.ts';
import type { Log } from './observability/log.ts';
import type { Metrics } from './observability/metrics.ts';
import type { ReadinessCheck } from './observability/readiness.ts';
import type { AddressHasher } from './privacy/address-hash.ts';
import { clientAddress } from './privacy/client-address.ts';
import { FairScheduler } from './rate-limiting/fair-scheduler.ts';
import type { RateLimiter } from './rate-limiting/rate-limiter.ts';
import type { SiteDirectory } from './sites/site-directory.ts';
import { createSocketServer } from './socket/socket-server.ts';
import type { VisitorServer } from './socket/visitor-socket.ts';
import type { StateStore } from './state/state-store.ts';

export interface EntryPointParts {
  readonly config: Pick<Config, 'TRUSTED_HOPS'> & Partial<Config>;
  readonly bounds: ConnectionLimits;
  readonly sites: SiteDirectory;
  readonly store: Pick<StateStore, 'kind'>;
  readonly limiter: RateLimiter;
  readonly addresses: AddressHasher;
  readonly readiness: ReadinessCheck;
  /** Operations of the operators' API; it is served if there is an `OPERATOR_TOKEN`. */
  readonly operations: readonly Operation[] | undefined;
  readonly isDraining: () => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly dates: Clock;
  readonly clock: MonotonicClock;
}

/** Servers of a service, which do not listen yet. */
export interface EntryPoints {
  readonly http: Server;
  /** Metrics on a port of their own. */
  readonly metricsServer: MetricsServer;
  /** Realtime half, on the port of `http`. */
  readonly socketServer: VisitorServer;
  /** Every HTTP route, such as `GET /healthz`, files apart. */
  readonly routes: readonly string[];
}

/** Creates the servers by which anything reaches the service. */
export function createEntryPoints(parts: EntryPointParts): EntryPoints {
  const { config, bounds, log, metrics } = parts;
  const { TRUSTED_HOPS: trustedHops } = config;
  const httpApp = createHttpApp({
    ...{ log, metrics, sites: parts.sites, store: parts.store.kind, clock: parts.dates },
    ...{ isDraining: parts.isDraining, readiness: parts.readiness },
    metricsToken: config.METRICS_TOKEN,
    securityContact: config.SECURITY_CONTACT,
    publicUrl: config.PUBLIC_URL,
    admin: adminParts(parts),
  });
  const answer = httpApp.callback();
  const proxyHints = new ProxyHints(trustedHops, metrics, log);
  const http = createHttpServer({
    ...{ bounds, trustedHops, metrics, log },
    answer: (request, response) => void answer(request, response),
    upgradePath: SOCKET_PATH,
    onUpgrade: (request) => proxyHints.look(request),
  });
  const socketServer = createSocketServer(http, { ...parts, trustedHops });
  // A scheduler of its own: no visitor's message waits behind an HTTP request.
  spreadRequests(http, new FairScheduler());
  answerOneAtATime(http, (request) => proxyHints.look(request));
  const metricsServer = createMetricsServer({ config, bounds, trustedHops, metrics, log });
  return { http, metricsServer, socketServer, routes: routesOf(httpApp) };
}

function adminParts({ config, operations, limiter, addresses }: EntryPointParts) {
  const { OPERATOR_TOKEN: token, PUBLIC_URL: publicUrl, TRUSTED_HOPS: trustedHops } = config;
  if (operations === undefined || token === undefined) return undefined;
  return {
    ...{ operations, token, limiter, publicUrl },
    addressOf: (request: Parameters<typeof clientAddress>[0]) =>
      addresses.hash(clientAddress(request, trustedHops), ''),
  };
}
