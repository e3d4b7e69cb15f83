import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { FairScheduler } from '../rate-limiting/fair-scheduler.ts';

/**
 * Spreads the handling of requests over turns of the event loop: an address may have hundreds of connections with a
 * request at the same moment. Call it once the server has all its listeners.
 */
export function spreadRequests(server: Server, turns: FairScheduler): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    for (const listener of listeners) listener.call(server, request, response);
  };
  server.on('request', (request, response) => {
    if (turns.mayBegin()) {
      answer(request, response);
      return;
    }
    turns.wait({
      doNext: () => {
        // The client has gone, and listeners would wait for a `close` event that they have missed.
        if (!request.socket.destroyed) answer(request, response);
        return false;
      },
    });
  });
}
