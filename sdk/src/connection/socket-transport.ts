import { io, type Socket } from 'socket.io-client';
import { Decoder, Encoder } from 'socket.io-parser';
import { ChatError } from '../errors.ts';
import { asItIs } from '../internal/as-it-is.ts';
import { AwakeTimer } from '../internal/awake-timer.ts';
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
import type { ConnectTransport, TransportConnection, DisconnectReason, Push, RequestOutcome } from './transport.ts';

/** Time for which a transport may be silent before the other one is tried: a proxy may swallow a WebSocket, or what it carries. Milliseconds. */
const SILENCE_MS = 5_000;

/** Sends what it was given, also on pages that change how built-ins become JSON. */
class AsItIsEncoder extends Encoder {
  constructor() {
    super(asItIs());
  }
}

type Transport = 'websocket' | 'polling';

/**
 * Lines over Socket.IO: WebSocket first, long-polling where that fails or stays silent. Whichever worked first is
 * tried first from then on, and for twice the time: a slow service is more likely then than a box that swallows.
 * Until one has worked a failure says nothing, since the network may be away. Each line is a connection of its
 * own, so nothing of an old one reaches a new one. Socket.IO's own reconnection and its buffer for what is sent
 * while offline are never used: old words would reach a new stranger.
 */
export function connectSocket(target: Target, silenceMs = SILENCE_MS): ConnectTransport {
  const query: HandshakeQuery = { site: target.site };
  let proven: Transport | undefined;
  return (resume, events): TransportConnection => {
    const left: Transport[] = proven === 'polling' ? ['polling', 'websocket'] : ['websocket', 'polling'];
    const silence = new AwakeTimer();
    let socket: Socket | undefined;
    let isOver = false;
    /** The service has said something. */
    let isUp = false;

    const drop = (): void => {
      silence.stop();
      socket?.off();
      socket?.offAny();
      socket?.disconnect();
    };
    const lose = (loss: DisconnectReason): void => {
      if (isOver) return;
      isOver = true;
      drop();
      events.lost(loss);
    };

    const attempt = (): void => {
      const transport = left.shift() as Transport;
      let auth: HandshakeAuth = { version: PROTOCOL_VERSION, ...(resume === undefined ? {} : { resume }) };
      const own = io(target.url, {
        path: SOCKET_PATH,
        parser: { Decoder, Encoder: AsItIsEncoder },
        transports: [transport],
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
      socket = own;
      const fail = (): void => {
        if (isUp || left.length === 0) {
          lose({ kind: 'lost' });
          return;
        }
        drop();
        attempt();
      };
      /** The last one has the time that the session gives the line. */
      const awaitSign = (): void => {
        if (left.length > 0) silence.start(proven === undefined ? silenceMs : 2 * silenceMs, fail);
      };

      own.onAny((name: string, payload: unknown, confirm: (() => void) | undefined) => {
        isUp = true;
        silence.stop();
        proven ??= transport;
        // A push of a newer service is ignored. The payload is the service's word: this is the one cast.
        if (!isOver && (PUSH_NAMES as readonly string[]).includes(name)) events.push({ name, payload } as Push);
        // Once it is taken in: what is confirmed, the service may forget.
        confirm?.();
      });
      own.on('connect_error', (failure) => {
        const error = refusalIn(failure);
        if (error === null) fail();
        else lose({ kind: 'refused', error });
      });
      own.on('disconnect', fail);
      // The transport is open; whether anything passes in the other direction is still to be seen.
      own.io.on('open', awaitSign);
      const connect = (claims?: string): void => {
        if (isOver) return;
        if (claims !== undefined) auth = { ...auth, claims };
        awaitSign();
        own.connect();
        // Where making a WebSocket throws (CSP in Firefox and WebKit) or there is none, Socket.IO says nothing and waits.
        if (transport === 'websocket' && !(own.io.engine.transport as { ws?: unknown }).ws) fail();
      };
      if (target.claims === undefined) connect();
      else {
        askForClaims(target.claims).then(connect, () => {
          const { message } = ERRORS.claims_refused;
          lose({ kind: 'refused', error: { code: 'claims_refused', message } });
        });
      }
    };
    attempt();

    return {
      request: <Name extends RequestName>(name: Name, payload: unknown) =>
        new Promise<RequestOutcome<Name>>((resolve) => {
          if (!socket?.connected) {
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
        if (socket?.connected) socket.emit(FRAME_EVENT, frame);
      },
      close: () => {
        isOver = true;
        drop();
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
