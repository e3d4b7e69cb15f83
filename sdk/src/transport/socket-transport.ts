import { io } from 'socket.io-client';
import { ChatError } from '../errors.ts';
import type { Target } from '../options.ts';
import {
  ERRORS,
  FRAME_EVENT,
  PROTOCOL_VERSION,
  PUSH_NAMES,
  type HandshakeAuth,
  type HandshakeQuery,
  LIMITS,
  type Reply,
  type RequestName,
  type RequestReply,
  SOCKET_PATH,
  TIMES,
} from '../protocol/index.ts';
import { refusalIn } from './refusal.ts';
import type { Dial, Line, LineLoss, Push, RequestOutcome } from './transport.ts';

/**
 * Lines over Socket.IO: WebSocket first, long-polling where that fails. Each line is a connection of
 * its own, so nothing of an old one reaches a new one. Socket.IO's own reconnection and its buffer for
 * what is sent while offline are never used: old words would reach a new stranger.
 */
export function socketDial(target: Target): Dial {
  const query: HandshakeQuery = { site: target.site };
  return (resume, events): Line => {
    let auth: HandshakeAuth = { version: PROTOCOL_VERSION, ...(resume === undefined ? {} : { resume }) };
    const socket = io(target.url, {
      path: SOCKET_PATH,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnection: false,
      forceNew: true,
      autoConnect: false,
      withCredentials: false,
      query: { ...query },
      auth: (send) => {
        send({ ...auth });
      },
      ...(target.origin === undefined ? {} : { extraHeaders: { Origin: target.origin } }),
    });

    let isOver = false;
    const hangUp = (): void => {
      isOver = true;
      socket.off();
      socket.offAny();
      socket.disconnect();
    };
    const lose = (loss: LineLoss): void => {
      if (isOver) return;
      hangUp();
      events.lost(loss);
    };

    socket.onAny((name: string, payload: unknown, confirm: (() => void) | undefined) => {
      // A push of a newer service is ignored. The payload is the service's word: this is the one cast.
      if (!isOver && (PUSH_NAMES as readonly string[]).includes(name)) events.push({ name, payload } as Push);
      // Once it is taken in: what is confirmed, the service may forget.
      confirm?.();
    });
    socket.on('connect_error', (failure) => {
      const error = refusalIn(failure);
      lose(error === null ? { kind: 'lost' } : { kind: 'refused', error });
    });
    socket.on('disconnect', () => {
      lose({ kind: 'lost' });
    });
    const connect = (claims?: string): void => {
      if (isOver) return;
      if (claims !== undefined) auth = { ...auth, claims };
      socket.connect();
    };
    if (target.claims === undefined) connect();
    else {
      askForClaims(target.claims).then(connect, () => {
        const { message } = ERRORS.claims_refused;
        lose({ kind: 'refused', error: { code: 'claims_refused', message } });
      });
    }

    return {
      request: <Name extends RequestName>(name: Name, payload: unknown) =>
        new Promise<RequestOutcome<Name>>((resolve) => {
          if (!socket.connected) {
            resolve({ kind: 'unknown' });
            return;
          }
          const answer = (failure: Error | null, reply: Reply<RequestReply<Name>>): void => {
            if (failure !== null) resolve({ kind: 'unknown' });
            else if (reply.ok) resolve({ kind: 'answered', data: reply.data });
            else resolve({ kind: 'refused', error: reply.error });
          };
          socket.timeout(TIMES.replyTimeoutMs).emit(name, payload, answer);
        }),
      send: (frame) => {
        if (socket.connected) socket.emit(FRAME_EVENT, frame);
      },
      close: () => {
        if (!isOver) hangUp();
      },
    };
  };
}

/** For this attempt only: they run out. Rejects where the page has none that could be right. */
async function askForClaims(claims: NonNullable<Target['claims']>): Promise<string> {
  const said: unknown = typeof claims === 'function' ? await claims() : claims;
  if (typeof said === 'string' && said !== '' && said.length <= LIMITS.claimsMaxChars) return said;
  throw new ChatError('claims_refused');
}
