import { connect } from 'node:net';
import { OPCODE, webSocketFrame } from '../web-socket-frame.ts';
import { upgradeOf, type Target } from './target.ts';

/** Maximum number of sessions that an address may open in a minute. */
const SESSIONS_PER_ADDRESS = 30;

export const packet = (text: string): Buffer => webSocketFrame(OPCODE.text, text);

/** Visitor over a plain WebSocket. */
export interface Session {
  /** Conversation of the visitor; empty before there is one. */
  conversationId: string;
  write(data: Buffer): void;
  readonly isOpen: boolean;
}

/**
 * Opens that many sessions, from as many addresses as are needed within a minute; with more time one address has them
 * all. Traffic is counted for each session and connection separately.
 */
export async function openSessions(target: Target, count: number, isPaired: boolean): Promise<Session[]> {
  const opening = Array.from({ length: count }, (_, index) =>
    openSession(target, `127.0.0.${2 + Math.floor(index / SESSIONS_PER_ADDRESS)}`, isPaired),
  );
  return Promise.all(opening);
}

function openSession(target: Target, localAddress: string, isPaired: boolean): Promise<Session> {
  const socket = connect({ host: target.host, port: target.port, localAddress, noDelay: true });
  return new Promise((resolve, reject) => {
    let isOpen = true;
    let received = '';
    const session: Session = {
      conversationId: '',
      write: (data) => void (isOpen && socket.write(data)),
      get isOpen() {
        return isOpen;
      },
    };
    socket.on('error', () => undefined);
    socket.on('close', () => {
      isOpen = false;
      reject(new Error(`a session was closed: ${received.slice(0, 300)}`));
    });
    socket.on('connect', () => socket.write(upgradeOf(target)));
    const steps: (readonly [RegExp, (found: RegExpExecArray) => void])[] = [
      [/\r\n\r\n/, () => session.write(packet('40{"version":1}'))],
      [
        /"session:ready"/,
        () => {
          if (!isPaired) resolve(session);
          else session.write(packet('421["match:find",{"requestId":"request-1"}]'));
        },
      ],
      [
        /42(\d+)\["conversation:started",\{"conversationId":"([^"]+)"/,
        ([, id, conversationId]) => {
          session.conversationId = conversationId!;
          session.write(packet(`43${id}[]`));
          resolve(session);
        },
      ],
    ];
    socket.on('data', (chunk) => {
      const step = steps[0];
      if (step === undefined) return;
      received += chunk.toString('latin1');
      const found = step[0].exec(received);
      if (found === null) return;
      steps.shift();
      step[1](found);
      // What came in the same piece.
      socket.emit('data', Buffer.alloc(0));
    });
  });
}

/** Time until the packet quota is refilled. Milliseconds. */
const REFILL_MS = 2_200;

/** Sends the maximum that a connection may send at once on every session at the same time, repeatedly. */
export async function burst(sessions: readonly Session[], bytesOf: (session: Session) => Buffer): Promise<never> {
  const bursts = sessions.map(bytesOf);
  for (;;) {
    for (const [index, session] of sessions.entries()) session.write(bursts[index]!);
    await new Promise((resolve) => setTimeout(resolve, REFILL_MS));
  }
}
