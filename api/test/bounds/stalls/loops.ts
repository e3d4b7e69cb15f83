import { connect, type Socket } from 'node:net';
import type { Target } from './target.ts';

/**
 * Opens a connection, and another one whenever it closes. `begin` is called for each, and returns the handler of its
 * data.
 */
function keepOpen({ host, port }: Target, begin: (socket: Socket) => (chunk: Buffer) => void): void {
  const socket = connect({ host, port, noDelay: true });
  socket.on('error', () => undefined);
  socket.on('close', () => setImmediate(() => keepOpen({ host, port } as Target, begin)));
  socket.on('connect', () => socket.on('data', begin(socket)));
}

/** Sends the same request on that many connections, again as soon as it is answered. */
export function askAgainAndAgain(target: Target, connections: number, request: string): void {
  for (let count = 0; count < connections; count++) {
    keepOpen(target, (socket) => {
      let missing = 0;
      socket.write(request);
      return (chunk) => {
        if (missing === 0) {
          const text = chunk.toString('latin1');
          const end = text.indexOf('\r\n\r\n') + 4;
          missing = end + Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
        }
        missing -= chunk.length;
        if (missing <= 0) {
          missing = 0;
          socket.write(request);
        }
      };
    });
  }
}

/** Opens that many connections, sends `then` on each once it is answered, and repeats when it is closed, or at once. */
export function openAgainAndAgain(
  target: Target,
  connections: number,
  opening: string,
  then: Buffer | 'go again',
): void {
  for (let count = 0; count < connections; count++) {
    keepOpen(target, (socket) => {
      let isAnswered = false;
      socket.write(opening);
      return () => {
        if (isAnswered) return;
        isAnswered = true;
        if (then === 'go again') socket.destroy();
        else socket.write(then);
      };
    });
  }
}
