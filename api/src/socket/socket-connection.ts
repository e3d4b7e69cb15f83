import { FRAME_EVENT, type Frame, type PushName, type PushPayload } from '@passerby/sdk/protocol';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { LocalSession, VisitorConnection } from '../sessions/local-sessions.ts';
import { isBehind } from './connection-bounds.ts';
import type { VisitorSocket } from './visitor-socket.ts';

export interface SocketConnectionParts {
  readonly bounds: ConnectionLimits;
  readonly metrics: Metrics;
}

/** Connection of a visitor over Socket.IO. */
export class SocketConnection implements VisitorConnection {
  readonly #socket: VisitorSocket;
  readonly #parts: SocketConnectionParts;

  constructor(socket: VisitorSocket, parts: SocketConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#socket.connected;
  }

  welcome(session: LocalSession, ready: PushPayload<'session:ready'>, confirmed: () => void): void {
    this.#socket.data.session = session;
    if (ready.recovered) this.#socket.emit('session:ready', ready, confirmed);
    else emit(this.#socket, 'session:ready', ready);
  }

  push<Name extends PushName>(name: Name, payload: PushPayload<Name>): void {
    if (!mayBeLost(name, payload) || !isTooSlow(this.#socket, this.#parts)) emit(this.#socket, name, payload);
  }

  pushStarted(payload: PushPayload<'conversation:started'>, confirmed: () => void): void {
    this.#socket.emit('conversation:started', payload, confirmed);
  }

  close(): void {
    this.#socket.data.session = null;
    this.#socket.disconnect(true);
  }
}

/** Returns whether too much is queued for a visitor, and counts the push that is dropped for it. */
export function isTooSlow(socket: VisitorSocket, { bounds, metrics }: SocketConnectionParts): boolean {
  if (!isBehind(socket, bounds)) return false;
  metrics.count('passerby_incidents_total', { kind: 'push_lost' });
  return true;
}

/**
 * Returns whether a push may be lost, since it is repeated soon or worthless later: the number online, the status of a
 * wait, and unnumbered frames (typing, bare acknowledgements, which later ones repeat).
 */
export function mayBeLost<Name extends PushName>(name: Name, payload: PushPayload<Name>): boolean {
  if (name === FRAME_EVENT) return (payload as Frame).seq === 0;
  return name === 'site:presence' || name === 'match:status';
}

/**
 * Untyped `emit`: Socket.IO's types cannot handle a generic name; the caller's types have checked the pair (name,
 * payload).
 */
export interface Emitting {
  emit(name: string, payload: unknown): unknown;
}

/** Sends a push to one socket, also to one without a session. */
export function emit<Name extends PushName>(socket: VisitorSocket, name: Name, payload: PushPayload<Name>): void {
  (socket as Emitting).emit(name, payload);
}
