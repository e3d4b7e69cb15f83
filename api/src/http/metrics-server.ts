import type { Server } from 'node:http';
import type { Config } from '../config.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { isLoopback } from '../privacy/own-machine.ts';
import { createMetricsApp } from './http-app.ts';
import { answerOneAtATime, createHttpServer, type HttpServerParts } from './http-server.ts';
import { listen } from './listen.ts';

export interface MetricsServerParts extends Pick<HttpServerParts, 'bounds' | 'trustedHops' | 'metrics' | 'log'> {
  readonly config: Partial<Pick<Config, 'METRICS_PORT' | 'METRICS_HOST' | 'METRICS_TOKEN'>>;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Server of the metrics on a port of their own. */
export interface MetricsServer {
  /** Starts listening. Resolves to its origin; `null` if no port is configured. Rejects if it cannot listen. */
  listen(): Promise<string | null>;
  close(): void;
}

/** Creates the server of the metrics; it does nothing if no port is configured. */
export function createMetricsServer(parts: MetricsServerParts): MetricsServer {
  const { METRICS_PORT: port, METRICS_HOST: host = '127.0.0.1', METRICS_TOKEN: metricsToken } = parts.config;
  if (port === undefined) return { listen: () => Promise.resolve(null), close: () => undefined };
  const answer = createMetricsApp({ ...parts, metricsToken, isLoopback: isLoopback(host) }).callback();
  const server: Server = createHttpServer({
    ...parts,
    answer: (request, response) => void answer(request, response),
    upgradePath: null,
  });
  answerOneAtATime(server);
  return {
    listen: () => listen(server, port, host),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
