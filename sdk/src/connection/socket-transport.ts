import { ChatError } from '../errors.ts';
import { AwakeTimer } from '../internal/awake-timer.ts';
import { isObject } from '../internal/is-object.ts';
import type { Target } from '../options.ts';
import {
  ERRORS,
  FRAME_EVENT,
  PROTOCOL_VERSION,
  PUSH_NAMES,
  type HandshakeAuth,
  type HandshakeQuery,
  LIMITS,
  type RequestName,
  type RequestReply,
  SOCKET_PATH,
  TIMES,
  type WireError,
} from '../protocol/index.ts';
import { refusalIn } from './refusal.ts';
import { SocketIo } from './socket-io.ts';
import type { ConnectTransport, TransportConnection, DisconnectReason, Push, RequestOutcome } from './transport.ts';

/** Time for which a transport may be silent before the other one is tried: a proxy may swallow a WebSocket, or what it carries. Milliseconds. */
const SILENCE_MS = 5_000;

type Transport = 'websocket' | 'polling';

/**
 * Connections over Socket.IO: WebSocket first, long-polling where that fails or stays silent. Whichever worked first is
 * tried first from then on, and for twice the time: a slow service is more likely then than a box that swallows.
 * Until one has worked a failure says nothing, since the network may be away. Each line is a connection of its
 * own, so nothing of an old one reaches a new one. Nothing is buffered while offline: old words would reach a new
 * stranger.
 */
export function connectSocket(target: Target, silenceMs = SILENCE_MS): ConnectTransport {
  const query: HandshakeQuery = { site: target.site };
  let proven: Transport | undefined;
  return (resume, events): TransportConnection => {
    const left: Transport[] = proven === 'polling' ? ['polling', 'websocket'] : ['websocket', 'polling'];
    const silence = new AwakeTimer();
    let socket: SocketIo | undefined;
    let isOver = false;
    /** The service has said something. */
    let isUp = false;

    const drop = (): void => {
      silence.stop();
      socket?.close();
    };
    const lose = (loss: DisconnectReason): void => {
      if (isOver) return;
      isOver = true;
      drop();
      events.lost(loss);
    };

    const attempt = (): void => {
      const transport = left.shift() as Transport;
      const fail = (): void => {
        if (isUp || left.length === 0) {
          lose({ kind: 'lost' });
          return;
        }
        drop();
        attempt();
      };
      /** The last one has the time that the reconnecting connection gives an attempt. */
      const awaitSign = (): void => {
        if (left.length > 0) silence.start(proven === undefined ? silenceMs : 2 * silenceMs, fail);
      };

      const connect = (claims?: string): void => {
        if (isOver) return;
        const auth: HandshakeAuth = {
          version: PROTOCOL_VERSION,
          ...(resume === undefined ? {} : { resume }),
          ...(claims === undefined ? {} : { claims }),
        };
        awaitSign();
        const own = new SocketIo({
          url: target.url,
          options: {
            path: SOCKET_PATH,
            transports: [transport],
            query: { ...query },
            ...(target.origin === undefined ? {} : { extraHeaders: { Origin: target.origin } }),
          },
          auth,
          events: {
            // Whether anything passes in the other direction is still to be seen.
            open: awaitSign,
            event: (name, payload, confirm) => {
              isUp = true;
              silence.stop();
              proven ??= transport;
              // A push of a newer service is ignored.
              if (!isOver && (PUSH_NAMES as readonly string[]).includes(name)) {
                if (!isObject(payload)) {
                  lose({ kind: 'lost' });
                  return;
                }
                // What is in the payload is the service's word: this is the one cast.
                events.push({ name, payload } as Push);
              }
              // Once it is taken in: what is confirmed, the service may forget.
              confirm();
            },
            closed: (failure) => {
              const error = refusalIn(failure);
              if (error === null) fail();
              else lose({ kind: 'refused', error });
            },
          },
        });
        socket = own;
        if (transport === 'websocket' && !own.hasWebSocket) fail();
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
          if (socket === undefined) {
            resolve({ kind: 'unknown' });
            return;
          }
          socket.request(name, payload, TIMES.replyTimeoutMs, (answer) => resolve(outcomeOf(answer)));
        }),
      send: (frame) => {
        socket?.emit(FRAME_EVENT, frame);
      },
      close: () => {
        isOver = true;
        drop();
      },
    };
  };
}

/** Reads an acknowledgement; one that is no reply of the protocol leaves the outcome unknown. */
function outcomeOf<Name extends RequestName>(answer: unknown): RequestOutcome<Name> {
  // The service's word: see above.
  const { ok, data, error } = (answer ?? {}) as { ok?: boolean; data?: RequestReply<Name>; error?: WireError };
  if (ok === true && isObject(data)) return { kind: 'answered', data };
  return isObject(error) ? { kind: 'refused', error } : { kind: 'unknown' };
}

/** For this attempt only: they run out. Rejects where the page has none that could be right. */
async function askForClaims(claims: NonNullable<Target['claims']>): Promise<string> {
  const said: unknown = typeof claims === 'function' ? await claims() : claims;
  if (typeof said === 'string' && said !== '' && said.length <= LIMITS.claimsMaxChars) return said;
  throw new ChatError('claims_refused');
}
