import type { Redis } from 'ioredis';
import { type MonotonicClock, monotonicClock } from '../clock.ts';
import { within } from '../deadline.ts';
import type { Counter } from '../observability/counter-family.ts';
import type { RedisClient } from '../state/redis/redis-client.ts';
import { isDenied } from '../state/redis/store-fault.ts';
import type { NodeBusFault } from './node-bus.ts';

export interface SubscriptionOptions {
  readonly echoEveryMs?: number;
  /** Called with the fault whenever it changes; with `undefined` once there is none. */
  readonly onFaultChange?: (fault: NodeBusFault | undefined) => void;
  readonly clock?: MonotonicClock;
}

/**
 * Subscription to the channel of this node, made again after each reconnect. It is watched by echoes: messages of this
 * node to itself, by the path of node messages. A connection may answer pings and yet deliver nothing: one to a Redis
 * node that was removed from its Cluster, or is cut off from the others.
 */
export class WatchedSubscription {
  readonly #publisher: RedisClient;
  readonly #subscriber: Redis;
  readonly #subscriptionsLost: Counter;
  readonly #echoEveryMs: number;
  readonly #onFaultChange: (fault: NodeBusFault | undefined) => void;
  readonly #clock: MonotonicClock;
  #echoes: NodeJS.Timeout | undefined;
  /** Latest echo that Redis accepted, and latest one that came back. */
  #echo = { sent: 0, heard: 0 };
  /** Time at which the last echo came back, by `clock`. */
  #heardAt = -Infinity;
  /** Rights found missing since an echo came back. */
  #denied = { subscribe: false, publish: false };
  #toldFault: NodeBusFault | undefined;
  #onEcho: () => void = () => undefined;

  constructor(
    publisher: RedisClient,
    subscriber: Redis,
    subscriptionsLost: Counter,
    { echoEveryMs = ECHO_EVERY_MS, onFaultChange = () => undefined, clock = monotonicClock }: SubscriptionOptions,
  ) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#subscriptionsLost = subscriptionsLost;
    this.#echoEveryMs = echoEveryMs;
    this.#onFaultChange = onFaultChange;
    this.#clock = clock;
  }

  /** Returns the fault by which no messages arrive, to this node or from it; `undefined` while its own echoes come back. */
  fault(): NodeBusFault | undefined {
    if (this.#denied.subscribe) return 'NO_SUBSCRIBE';
    if (this.#denied.publish) return 'NO_PUBLISH';
    return this.#clock() - this.#heardAt > ECHOES_SILENT * this.#echoEveryMs ? 'NO_ECHO' : undefined;
  }

  /**
   * Subscribes to a channel. Resolves once an echo came back, or is late, which `fault` then reports. Rejects if this
   * Redis user may not subscribe, or not publish. `onText` is called with everything but the echoes.
   */
  async listen(channel: string, onText: (text: string) => void): Promise<void> {
    this.#subscriber.on('message', (_channel: string, text: string) => {
      if (text.startsWith(ECHO)) this.#hearEcho(Number(text.slice(ECHO.length)));
      else onText(text);
    });
    await untilReady(this.#subscriber);
    try {
      await this.#subscriber.subscribe(channel);
    } catch (thrown) {
      this.#denied.subscribe = isRefusal(thrown);
      throw thrown;
    }
    this.#subscriber.on('ready', () => this.#listenAgain(channel));
    const firstEcho = new Promise<void>((resolve) => (this.#onEcho = resolve));
    const denied = await this.#publishEcho(channel);
    if (denied !== null) throw denied;
    await within(firstEcho, FIRST_ECHO_MS, () => undefined);
    this.#echoes = setInterval(() => this.#sendEcho(channel), this.#echoEveryMs).unref();
    this.#tellFault();
  }

  /** Stops the echoes. */
  close(): void {
    clearInterval(this.#echoes);
  }

  #listenAgain(channel: string): void {
    this.#echo.heard = this.#echo.sent;
    this.#subscriber.subscribe(channel).then(
      () => void this.#publishEcho(channel),
      (thrown: unknown) => {
        this.#denied.subscribe ||= isRefusal(thrown);
        this.#tellFault();
        this.#subscriptionsLost.increment();
        // Where the connection is gone too, the next one begins with another try.
        setTimeout(() => {
          if (this.#subscriber.status === 'ready') this.#listenAgain(channel);
        }, LISTEN_AGAIN_MS).unref();
      },
    );
  }

  /** Publishes an echo; reconnects instead if too many did not come back. */
  #sendEcho(channel: string): void {
    this.#tellFault();
    if (this.#subscriber.status !== 'ready') return;
    if (this.#echo.sent - this.#echo.heard >= ECHOES_MISSED_MAX) {
      this.#subscriptionsLost.increment();
      this.#echo.heard = this.#echo.sent;
      this.#subscriber.disconnect(true);
      return;
    }
    void this.#publishEcho(channel);
  }

  /** Resolves to the refusal if this user may not publish; any other failure says nothing about the bus. */
  async #publishEcho(channel: string): Promise<Error | null> {
    const number = this.#echo.sent + 1;
    try {
      await this.#publisher.publish(channel, `${ECHO}${number}`);
      this.#echo.sent = Math.max(this.#echo.sent, number);
      return null;
    } catch (thrown) {
      if (!isRefusal(thrown)) return null;
      this.#denied.publish = true;
      this.#tellFault();
      return thrown;
    }
  }

  #hearEcho(number: number): void {
    this.#echo.heard = number;
    this.#heardAt = this.#clock();
    this.#denied = { subscribe: false, publish: false };
    this.#tellFault();
    this.#onEcho();
  }

  #tellFault(): void {
    const fault = this.fault();
    if (fault === this.#toldFault) return;
    this.#toldFault = fault;
    this.#onFaultChange(fault);
  }
}

/** Delay after a failed subscription until the next attempt. Milliseconds. */
const LISTEN_AGAIN_MS = 200;
/** Maximum time that the first connection may take. Milliseconds. */
const FIRST_CONNECTION_MS = 5_000;

/** Maximum time that a start waits for the first echo. Milliseconds. */
const FIRST_ECHO_MS = 1_000;
/** Interval at which a node sends itself an echo. Milliseconds. */
const ECHO_EVERY_MS = 2_000;
/** Number of echoes accepted by Redis that did not come back after which the bus reconnects and subscribes again. */
const ECHOES_MISSED_MAX = 2;
/** Number of intervals without an echo that came back after which the bus counts as silent. */
const ECHOES_SILENT = 2.5;
/** Prefix of an echo: no batch of messages begins with it. */
const ECHO = 'echo ';

const isRefusal = (thrown: unknown): thrown is Error => thrown instanceof Error && isDenied(thrown.message);

function untilReady(connection: Redis): Promise<void> {
  if (connection.status === 'ready') return Promise.resolve();
  let ready = (): void => undefined;
  const isReady = new Promise<void>((resolve) => (ready = resolve));
  connection.once('ready', ready);
  return within(isReady, FIRST_CONNECTION_MS, () => {
    connection.off('ready', ready);
    throw new Error(`no connection for a subscription within ${FIRST_CONNECTION_MS} ms`);
  });
}
