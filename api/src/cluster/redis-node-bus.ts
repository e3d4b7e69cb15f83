import type { Redis } from 'ioredis';
import { type MonotonicClock, monotonicClock } from '../clock.ts';
import { NODE_MESSAGE_VERSION, nodeMessageBatch, parseNodeMessage } from './node-message.ts';
import { within } from '../deadline.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RedisClient } from '../state/redis/redis-client.ts';
import { renewConnection } from '../state/redis/foreign-answer.ts';
import { PREFIX } from '../state/redis/keys.ts';
import { isDenied } from '../state/redis/store-fault.ts';
import type { NodeId } from '../domain/ids.ts';
import type { NodeBusFault, NodeBus, NodeMessage } from './node-bus.ts';

export interface RedisNodeBusOptions {
  readonly echoEveryMs?: number;
  /** Called with the fault whenever it changes; with `undefined` once there is none. */
  readonly onFaultChange?: (fault: NodeBusFault | undefined) => void;
  readonly clock?: MonotonicClock;
}

/**
 * Node bus over Redis Pub/Sub: each node subscribes to its own channel, and all messages of a node for another in one
 * turn of the event loop are published as one batch.
 */
export class RedisNodeBus implements NodeBus {
  readonly #publisher: RedisClient;
  readonly #subscriber: Redis;
  readonly #metrics: Metrics;
  readonly #echoEveryMs: number;
  readonly #onFaultChange: (fault: NodeBusFault | undefined) => void;
  readonly #clock: MonotonicClock;
  #outgoing = new Map<NodeId, NodeMessage[]>();
  #echoes: NodeJS.Timeout | undefined;
  /** Latest echo that Redis accepted, and latest one that came back. */
  #echo = { sent: 0, heard: 0 };
  /** Time at which the last echo came back, by `clock`. */
  #heardAt = -Infinity;
  /** Rights found missing since an echo came back. */
  #denied = { subscribe: false, publish: false };
  #toldFault: NodeBusFault | undefined;
  #onEcho: () => void = () => undefined;

  constructor(publisher: RedisClient, subscriber: Redis, metrics: Metrics, options: RedisNodeBusOptions = {}) {
    const { echoEveryMs = ECHO_EVERY_MS, onFaultChange = () => undefined, clock = monotonicClock } = options;
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#metrics = metrics;
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
   * Subscribes to the channel of this node, again after each reconnect. Resolves once an echo came back, or is late,
   * which `fault` then reports. Rejects if this Redis user may not subscribe, or not publish.
   */
  async listen(node: NodeId, take: (message: NodeMessage) => void): Promise<void> {
    this.#subscriber.on('message', (_channel: string, text: string) => {
      if (text.startsWith(ECHO)) {
        this.#hearEcho(Number(text.slice(ECHO.length)));
        return;
      }
      for (const message of this.#read(text)) this.#handOver(message, take);
    });
    await untilReady(this.#subscriber);
    try {
      await this.#subscriber.subscribe(channelOf(node));
    } catch (thrown) {
      this.#denied.subscribe = isRefusal(thrown);
      throw thrown;
    }
    this.#subscriber.on('ready', () => this.#listenAgain(node));
    const firstEcho = new Promise<void>((resolve) => (this.#onEcho = resolve));
    const denied = await this.#publishEcho(node);
    if (denied !== null) throw denied;
    await within(firstEcho, FIRST_ECHO_MS, () => undefined);
    this.#echoes = setInterval(() => this.#sendEcho(node), this.#echoEveryMs).unref();
    this.#tellFault();
  }

  /** Stops checking the subscription. */
  close(): void {
    clearInterval(this.#echoes);
  }

  #listenAgain(node: NodeId): void {
    this.#echo.heard = this.#echo.sent;
    this.#subscriber.subscribe(channelOf(node)).then(
      () => void this.#publishEcho(node),
      (thrown: unknown) => {
        this.#denied.subscribe ||= isRefusal(thrown);
        this.#tellFault();
        this.#metrics.count('passerby_incidents_total', { kind: 'subscriptions_lost' });
        // Where the connection is gone too, the next one begins with another try.
        setTimeout(() => {
          if (this.#subscriber.status === 'ready') this.#listenAgain(node);
        }, LISTEN_AGAIN_MS).unref();
      },
    );
  }

  /**
   * Publishes a message to itself by the path of node messages. A connection may answer pings and yet deliver nothing:
   * one to a Redis node that was removed from its Cluster, or is cut off from the others.
   */
  #sendEcho(node: NodeId): void {
    this.#tellFault();
    if (this.#subscriber.status !== 'ready') return;
    if (this.#echo.sent - this.#echo.heard >= ECHOES_MISSED_MAX) {
      this.#metrics.count('passerby_incidents_total', { kind: 'subscriptions_lost' });
      this.#echo.heard = this.#echo.sent;
      this.#subscriber.disconnect(true);
      return;
    }
    void this.#publishEcho(node);
  }

  /** Resolves to the refusal if this user may not publish; any other failure says nothing about the bus. */
  async #publishEcho(node: NodeId): Promise<Error | null> {
    const number = this.#echo.sent + 1;
    try {
      await this.#publisher.publish(channelOf(node), `${ECHO}${number}`);
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

  send(node: NodeId, message: NodeMessage): void {
    const waiting = this.#outgoing.get(node);
    if (waiting !== undefined) {
      waiting.push(message);
      return;
    }
    if (this.#outgoing.size === 0) setImmediate(() => this.#flush());
    this.#outgoing.set(node, [message]);
  }

  #flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = new Map();
    for (const [node, messages] of outgoing) {
      const text = JSON.stringify({ version: NODE_MESSAGE_VERSION, messages });
      this.#publisher.publish(channelOf(node), text).then(
        (receivers) => {
          // What is no number answers another command: whether this one was carried out is not known.
          if (typeof receivers !== 'number') renewConnection(this.#publisher);
          else if (receivers === 0)
            this.#metrics.count('passerby_incidents_total', { kind: 'parcels_without_receiver' });
        },
        () => this.#metrics.count('passerby_incidents_total', { kind: 'parcels_lost' }),
      );
    }
  }

  /** Returns the well-formed node messages of a batch; counts and drops the others. */
  #read(text: string): readonly NodeMessage[] {
    const batch = nodeMessageBatch.safeParse(safelyParsed(text));
    if (!batch.success) {
      this.#metrics.count('passerby_incidents_total', { kind: 'parcels_malformed' });
      return [];
    }
    return batch.data.messages.flatMap((unread) => {
      const message = parseNodeMessage(unread);
      if (message === null) this.#metrics.count('passerby_incidents_total', { kind: 'parcels_malformed' });
      return message ?? [];
    });
  }

  /** Counts an error instead of throwing it: the caller is the Redis client's parser, and the rest of the batch follows. */
  #handOver(message: NodeMessage, take: (message: NodeMessage) => void): void {
    try {
      take(message);
    } catch {
      this.#metrics.count('passerby_incidents_total', { kind: 'parcels_failed' });
    }
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

const channelOf = (node: NodeId) => `${PREFIX}node:${node}`;

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

function safelyParsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
