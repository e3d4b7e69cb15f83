import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '@passerby/sdk/protocol';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import { NetworkCounts } from '../rate-limiting/network-counts.ts';
import { reasonOf, type Log } from '../observability/log.ts';
import { newRequestId } from '../observability/request-id.ts';
import type { Metrics } from '../observability/metrics.ts';
import { rawProblem } from './problem.ts';
import { BASE_HEADERS } from './security-headers.ts';
import { stopParsing } from './stop-parsing.ts';

/** Response in progress, by connection. */
const answering = new WeakMap<object, ServerResponse>();

/** Error codes of Node's HTTP parser with their refusals; any other error means the input is not HTTP. */
const PARSER_FAULTS: ReadonlyMap<string | undefined, ErrorCode> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request_too_slow'],
  ['HPE_HEADER_OVERFLOW', 'head_too_large'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'payload_too_large'],
]);

export interface HttpServerParts {
  readonly answer: RequestListener;
  readonly bounds: ConnectionLimits;
  /** Path prefix at which WebSocket upgrades are allowed; `null` if none are. */
  readonly upgradePath: string | null;
  readonly trustedHops: number;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Called with each WebSocket upgrade request. */
  readonly onUpgrade?: (request: IncomingMessage) => void;
}

/** Creates the HTTP server shared by the Koa app and Socket.IO. */
export function createHttpServer(parts: HttpServerParts): Server {
  const { answer, bounds, upgradePath, trustedHops, metrics, log, onUpgrade } = parts;
  const server = createServer(
    {
      maxHeaderSize: bounds.headMaxBytes,
      headersTimeout: bounds.headMs,
      requestTimeout: bounds.requestMs,
      connectionsCheckingInterval: bounds.overdueCheckMs,
      keepAliveTimeout: bounds.keepAliveMs,
      // Node would answer it without a word; the error middleware does.
      requireHostHeader: false,
      // Any other `Upgrade`, such as the `h2c` that some HTTP clients send with every request, is passed over (RFC 9110, 7.8).
      shouldUpgradeCallback: ({ headers }) => /^websocket$/i.test(headers.upgrade ?? ''),
    },
    answer,
  );
  server.maxConnections = bounds.connectionsMax;
  server.timeout = bounds.stillMs;
  // Node takes its own error listener off a socket that it hands over (`upgrade`, `connect`). This one stays, so that
  // a connection that breaks at any moment ends itself and nothing else.
  server.on('connection', (socket) => socket.on('error', ignoreBrokenConnection));
  server.on('error', (error) => {
    // While the server is not listening yet, the error is the caller's to report.
    if (server.listening) log.error({ reason: reasonOf(error) }, 'a port could not accept a connection');
  });
  if (trustedHops === 0) boundAddresses(server, bounds.addressTcpMax);
  const refuse = (socket: Socket, code: ErrorCode, headers: readonly string[] = []) => {
    stopParsing(socket);
    // What is under way on this connection is another answer: a second one in the middle of it could not be read.
    if (!socket.writable || answering.get(socket)?.headersSent) {
      socket.destroy();
      return;
    }
    metrics.count('passerby_refusals_total', { door: 'http', code });
    socket.setTimeout(bounds.closeMs, () => socket.destroy());
    socket.write(rawProblem(code, headers));
    // Closes once that is written, whatever the other end does.
    socket.destroySoon();
  };
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    refuse(socket as Socket, PARSER_FAULTS.get(error.code) ?? 'bad_request');
  });
  server.on('checkExpectation', (request, response) => {
    refuse(request.socket, 'bad_request');
    response.destroy();
  });
  server.on('connect', (_request, socket) => refuse(socket as Socket, 'method_not_allowed', ['Allow: GET, HEAD']));
  // From here on no time above counts for it, and nobody else would ever close it.
  server.on('upgrade', (request, socket) => {
    onUpgrade?.(request);
    // The answer under way would be written into the WebSocket.
    if (answering.has(socket)) {
      socket.destroy();
      return;
    }
    if (upgradePath === null || request.url?.startsWith(upgradePath) !== true) refuse(socket as Socket, 'not_found');
  });
  return server;
}

/** Ignores a socket error: the peer caused it, and Node destroys the socket. */
function ignoreBrokenConnection(): void {}

/**
 * Closes connections of one address beyond `max`, so that it cannot exhaust all connections with silent ones. Not used
 * behind a proxy, from which all connections come: there the proxy has to do so.
 */
function boundAddresses(server: Server, max: number): void {
  const open = new NetworkCounts(max);
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? '';
    if (open.isFull(address)) socket.destroy();
    else socket.once('close', open.add(address));
  });
}

/**
 * Closes a connection that sends a request before the previous one was answered (pipelining). Browsers and proxies do
 * not, and each response queued behind an unread one costs memory: 64 KiB of requests for a file cost 190 MB. Adds the
 * request id and the base headers to each response, also to those of Socket.IO. `onRequest` is called first with each
 * request. Call it once the server has all its listeners.
 *
 * Refuses a request with chunked transfer coding instead of a `Content-Length`. No client of this service sends one,
 * and each chunk is processed separately, however small: bodies of 60,000 one-byte chunks on 100 connections blocked
 * the process for seconds and took a gigabyte.
 */
export function answerOneAtATime(server: Server, onRequest?: (request: IncomingMessage) => void): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const { socket } = request;
    if (answering.has(socket)) {
      stopParsing(socket);
      socket.destroy();
      return;
    }
    if (request.headers['transfer-encoding'] !== undefined) {
      server.emit('clientError', new Error('This request has no Content-Length'), socket);
      response.destroy();
      return;
    }
    onRequest?.(request);
    answering.set(socket, response);
    response.once('finish', () => answering.delete(socket));
    request.on('error', ignoreBrokenConnection);
    response.on('error', ignoreBrokenConnection);
    request.url = originForm(request.url);
    for (const [name, value] of BASE_HEADERS) response.setHeader(name, value);
    response.setHeader('X-Request-Id', newRequestId());
    for (const listener of listeners) listener.call(server, request, response);
  });
}

/** Returns the path and query of an absolute request target (RFC 9112, 3.2.2); any other target unchanged. */
function originForm(target = ''): string {
  if (!/^https?:\/\//i.test(target)) return target;
  const url = URL.parse(target);
  return url === null ? target : url.pathname + url.search;
}
