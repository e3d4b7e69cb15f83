import { type ChatError } from '../errors.ts';
import { AwakeTimer } from '../internal/awake-timer.ts';
import { atLeastSince, monotonicNow, type Moment, momentNow, unixNow } from '../internal/clock.ts';
import { Timer } from '../internal/timer.ts';
import type { Frame, PushPayload, RequestName, RequestPayload, ResumeToken } from '../protocol/index.ts';
import type { Connection } from '../state.ts';
import { decideRetry, nextAttempt } from './retry.ts';
import type { ConnectTransport, TransportConnection, DisconnectReason, Push, RequestOutcome } from './transport.ts';
import { onWake } from './wake.ts';

/** From the start of an attempt to `session:ready`: room for a WebSocket that is silent, and for long-polling after it. Milliseconds. */
export const READY_TIMEOUT_MS = 20_000;

/** Time within which a connection that may be dead has to answer, and an attempt has to succeed, once the page wakes up. Milliseconds. */
const PROBE_MS = 3_000;

/** Pushes that are passed on: all but those that the connection handles itself. */
export type ConversationPush = Exclude<Push, { name: `session:${string}` }>;

export interface ReconnectingConnectionEvents {
  connectionChanged(connection: Connection): void;
  /** On every connection, before any push. */
  ready(ready: PushPayload<'session:ready'>): void;
  push(push: ConversationPush): void;
  /** The connection was lost after it had been ready. Another attempt follows. */
  lost(): void;
  /** Another connection has the session now. The session is offline. */
  superseded(): void;
  /** The page is back from the back/forward cache. Says whether it went on from what another page of its tab left. */
  returned(): boolean;
  /** The service said no, and trying again by itself cannot help. The session is offline. */
  refused(error: ChatError): void;
}

/** Holder of the token that brings the visitor back to their session, from one connection and one page to the next. */
export interface ResumeTokenStore {
  token: ResumeToken | undefined;
  /** Removes the token, and all that is stored with it. */
  forget(): void;
}

export interface ReconnectingConnectionParts {
  readonly connectTransport: ConnectTransport;
  readonly tokens: ResumeTokenStore;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Connection to the service that re-establishes itself. */
export class ReconnectingConnection {
  readonly #parts: ReconnectingConnectionParts;
  readonly #events: ReconnectingConnectionEvents;
  readonly #retry = new Timer();
  readonly #watchdog = new AwakeTimer();
  readonly #drain = new Timer();
  readonly #probe = new AwakeTimer();
  #connection: Connection = { status: 'offline' };
  #transport: TransportConnection | null = null;
  /** Number of the present transport connection; events of former ones are ignored. */
  #turn = 0;
  #attempt = 0;
  #connectStartedAt: Moment = momentNow();
  #readyAt: number | null = null;
  #stopWaking: () => void = () => undefined;

  constructor(parts: ReconnectingConnectionParts, events: ReconnectingConnectionEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  get #isStarted(): boolean {
    return this.#connection.status !== 'offline';
  }

  get isReady(): boolean {
    return this.#readyAt !== null;
  }

  /** Connects, and stays connected until `stop`. Starting again is the same connection. */
  start(): void {
    if (this.#isStarted) return;
    this.#attempt = 0;
    this.#stopWaking = onWake((isReturn) => {
      if (!isReturn || !this.#events.returned()) this.#wake();
    });
    this.#setConnection({ status: 'connecting' });
    // Unless a listener has stopped it.
    if (this.#isStarted) this.#openTransport();
  }

  /** Never rejects; answers `unknown` at once while there is no ready connection. */
  request<Name extends RequestName>(name: Name, payload: RequestPayload<Name>): Promise<RequestOutcome<Name>> {
    if (this.#transport === null || !this.isReady) return Promise.resolve({ kind: 'unknown' });
    return this.#transport.request(name, payload);
  }

  send(frame: Frame): void {
    if (this.isReady) this.#transport?.send(frame);
  }

  /** Drops the connection and opens another one, whose `session:ready` tells the complete state. */
  reconnect(keepsSession = true): void {
    if (this.#transport === null) return;
    if (!keepsSession) this.#parts.tokens.token = undefined;
    this.#handleDisconnect({ kind: 'lost' });
  }

  /** `isKept`: what the tab keeps stays, for it is not ours alone. */
  stop({ isKept = false } = {}): void {
    this.#disconnect();
    this.#retry.stop();
    this.#stopWaking();
    if (!isKept) this.#parts.tokens.forget();
    this.#setConnection({ status: 'offline' });
  }

  #openTransport(): void {
    this.#retry.stop();
    this.#turn += 1;
    const turn = this.#turn;
    this.#connectStartedAt = momentNow();
    this.#watchdog.start(READY_TIMEOUT_MS, () => {
      this.#handleDisconnect({ kind: 'lost' });
    });
    this.#transport = this.#parts.connectTransport(this.#parts.tokens.token, {
      push: (push) => {
        if (turn === this.#turn) this.#handlePush(push);
      },
      lost: (loss) => {
        if (turn === this.#turn) this.#handleDisconnect(loss);
      },
    });
  }

  #handlePush(push: Push): void {
    switch (push.name) {
      case 'session:ready':
        this.#watchdog.stop();
        this.#readyAt = monotonicNow();
        this.#parts.tokens.token = push.payload.resume;
        this.#setConnection({ status: 'connected' });
        this.#events.ready(push.payload);
        return;
      case 'session:refused':
        this.#handleDisconnect({ kind: 'refused', error: push.payload });
        return;
      case 'session:superseded':
        // Coming back by itself would take the session from the other connection again, and so on.
        this.stop();
        this.#events.superseded();
        return;
      case 'session:draining':
        this.#drain.start(this.#parts.random() * push.payload.reconnectAfterMs, () => {
          this.#reconnectNow();
        });
        return;
      default:
        if (this.isReady) this.#events.push(push);
    }
  }

  #handleDisconnect(loss: DisconnectReason): void {
    const readyAt = this.#readyAt;
    this.#disconnect();
    this.#attempt = nextAttempt(this.#attempt, readyAt === null ? 0 : monotonicNow() - readyAt);
    const decision = decideRetry(loss, this.#attempt, this.#parts.random);
    if (decision.kind === 'give_up') {
      this.#giveUp(decision.error);
      return;
    }
    if (!decision.keepsSession) this.#parts.tokens.token = undefined;
    this.#retry.start(decision.delayMs, () => {
      this.#openTransport();
    });
    this.#setConnection({ status: 'reconnecting', attempt: this.#attempt, retryAt: unixNow() + decision.delayMs });
    if (readyAt !== null) this.#events.lost();
  }

  /** The page was asleep or offline: what was to be waited for is tried now, and what seems to live is asked whether it does. */
  #wake(): void {
    if (this.#retry.isRunning) {
      this.#openTransport();
    } else if (!this.isReady) {
      if (atLeastSince(this.#connectStartedAt) > PROBE_MS) this.#reopenTransport();
    } else if (!this.#probe.isRunning) {
      this.#probe.start(PROBE_MS, () => {
        this.#reconnectNow();
      });
      const turn = this.#turn;
      void this.request('session:check', {}).then((outcome) => {
        if (turn === this.#turn && outcome.kind !== 'unknown') this.#probe.stop();
      });
    }
  }

  #reopenTransport(): void {
    this.#disconnect();
    this.#openTransport();
  }

  #reconnectNow(): void {
    this.#disconnect();
    this.#attempt = 1;
    this.#setConnection({ status: 'reconnecting', attempt: 1, retryAt: unixNow() });
    this.#events.lost();
    if (this.#connection.status === 'reconnecting') this.#openTransport();
  }

  #giveUp(error: ChatError): void {
    this.stop();
    this.#events.refused(error);
  }

  #disconnect(): void {
    this.#watchdog.stop();
    this.#drain.stop();
    this.#probe.stop();
    this.#turn += 1;
    this.#readyAt = null;
    this.#transport?.close();
    this.#transport = null;
  }

  #setConnection(connection: Connection): void {
    this.#connection = connection;
    this.#events.connectionChanged(connection);
  }
}
