import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Turns } from '../limits/turns.ts';

/**
 * Answers requests in as many turns of the event loop as they take: an address may have hundreds of connections, and
 * all of them may ask at the same moment. For a server that has all its listeners.
 */
export function spreadRequests(server: Server, turns: Turns): void {
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
        // Who went meanwhile asks nothing any more, and the listeners would wait for an end they have missed.
        if (!request.socket.destroyed) answer(request, response);
        return false;
      },
    });
  });
}
