import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Answer to one command, as sent on the wire; `null` for none. */
export type Answer = (words: readonly string[], socket: Socket) => string | null;

/** Speaks Redis's protocol on loopback and answers every command as instructed. */
export class ScriptedRedis {
  readonly port: number;
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  static async start(answer: Answer): Promise<ScriptedRedis> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        for (let command = readCommand(text); command !== null; command = readCommand(text)) {
          text = text.slice(command.length);
          const reply = answer(command.words, socket);
          if (reply !== null && socket.writable) socket.write(reply);
        }
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedRedis((server.address() as AddressInfo).port, async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

export const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

/** Answers to commands that a client sends before it is ready; `null` for any other command. */
export function greet([name, word]: readonly string[]): string | null {
  switch (name!.toLowerCase()) {
    case 'hello':
      return `%2\r\n${bulk('server')}${bulk('redis')}${bulk('proto')}:3\r\n`;
    case 'info':
      return bulk('redis_version:7.0.15\r\nloading:0\r\n');
    case 'client':
      return '+OK\r\n';
    case 'cluster':
      return word!.toLowerCase() === 'info' ? bulk('cluster_state:ok\r\n') : null;
    default:
      return null;
  }
}

/** All slots on the one node, in the form of `CLUSTER SLOTS`. */
export const allSlotsAt = (port: number) =>
  `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n${bulk('127.0.0.1')}:${port}\r\n${bulk('a'.repeat(40))}`;

/** Returns the first command of the text, and its length; `null` if it is incomplete. */
function readCommand(text: string): { readonly words: readonly string[]; readonly length: number } | null {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  const words: string[] = [];
  let at = head[0].length;
  for (let n = 0; n < Number(head[1]); n++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return null;
    const from = at + size[0].length;
    at = from + Number(size[1]) + 2;
    if (text.length < at) return null;
    words.push(text.slice(from, at - 2));
  }
  return { words, length: at };
}
