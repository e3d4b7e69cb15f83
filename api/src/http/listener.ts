import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '@passerby/sdk/protocol';
import type { Bounds } from '../bounds.ts';
import { NetworkCounts } from '../limits/network-counts.ts';
import type { Tally } from '../observability/tally.ts';
import { rawProblem } from './problem.ts';

/** The answer under way on each connection that asked for something. */
const answering = new WeakMap<object, ServerResponse>();

/** What Node's parser gives up on, by its name for it; anything else is no HTTP. */
const PARSER_FAULTS: ReadonlyMap<string | undefined, ErrorCode> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request_too_slow'],
  ['HPE_HEADER_OVERFLOW', 'head_too_large'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'payload_too_large'],
]);

/** The HTTP server that both doors stand on. `upgradePath` is where a connection may become something else. */
export function createListener(
  answer: RequestListener,
  bounds: Bounds,
  upgradePath: string,
  trustedHops: number,
  tally: Tally,
): Server {
  const server = createServer(
    {
      maxHeaderSize: bounds.headMaxBytes,
      headersTimeout: bounds.headMs,
      requestTimeout: bounds.requestMs,
      connectionsCheckingInterval: bounds.overdueCheckMs,
      keepAliveTimeout: bounds.keepAliveMs,
      // Node would answer it without a word; the error middleware does.
      requireHostHeader: false,
    },
    answer,
  );
  server.maxConnections = bounds.connectionsMax;
  server.timeout = bounds.stillMs;
  if (trustedHops === 0) boundAddresses(server, bounds.addressTcpMax);
  const refuse = (socket: Socket, code: ErrorCode) => {
    tally.refused('http', code);
    socket.write(rawProblem(code));
    // Closes once that is written, whatever the other end does.
    socket.destroySoon();
  };
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || answering.get(socket)?.headersSent) socket.destroy(error);
    else refuse(socket as Socket, PARSER_FAULTS.get(error.code) ?? 'bad_request');
  });
  server.on('checkExpectation', (request, response) => {
    refuse(request.socket, 'bad_request');
    response.destroy();
  });
  // From here on no time above counts for it, and nobody else would ever close it.
  server.on('upgrade', ({ url = '' }, socket) => {
    if (!url.startsWith(upgradePath)) refuse(socket as Socket, 'not_found');
  });
  return server;
}

/**
 * Closes what one address opens beyond `max`, so that it cannot take every connection there is by saying nothing on
 * them. Behind a proxy all come from that: there it is the proxy's part.
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
 * Closes a connection that asks again before it was answered, to whichever door. Browsers and proxies do
 * not, and each answer that waits behind one that is not read costs its memory: 64 KiB of requests for a
 * file cost 190 MB. For a server that has all its listeners.
 */
export function answerOneAtATime(server: Server): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const { socket } = request;
    if (answering.has(socket)) {
      socket.destroy();
      return;
    }
    answering.set(socket, response);
    response.once('finish', () => answering.delete(socket));
    for (const listener of listeners) listener.call(server, request, response);
  });
}
