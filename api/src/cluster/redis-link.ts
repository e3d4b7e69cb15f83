import type { Redis } from 'ioredis';
import { LINK_VERSION, parcelBatch, readParcel } from '../contract/parcel.ts';
import type { Tally } from '../observability/tally.ts';
import type { RedisClient } from '../state/redis/client.ts';
import { renewConnection } from '../state/redis/foreign-answer.ts';
import { PREFIX } from '../state/redis/keys.ts';
import type { NodeId } from '../state/state-store.ts';
import type { NodeLink, Parcel } from './node-link.ts';

/**
 * Node-addressed publish over Redis: each node listens to its own channel, and what a node has for
 * another in one turn of the event loop is one message.
 */
export class RedisLink implements NodeLink {
  readonly #publisher: RedisClient;
  readonly #subscriber: Redis;
  readonly #tally: Tally;
  readonly #echoEveryMs: number;
  #outgoing = new Map<NodeId, Parcel[]>();
  #echoes: NodeJS.Timeout | undefined;
  /** Latest echo that Redis took, and latest one that came back. */
  #echo = { sent: 0, heard: 0 };

  constructor(
    publisher: RedisClient,
    subscriber: Redis,
    tally: Tally,
    { echoEveryMs = ECHO_EVERY_MS }: { readonly echoEveryMs?: number } = {},
  ) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#tally = tally;
    this.#echoEveryMs = echoEveryMs;
  }

  /** Starts listening for this node, and goes on whenever the connection is a new one. Resolves once Redis has the subscription. */
  async listen(node: NodeId, take: (parcel: Parcel) => void): Promise<void> {
    this.#subscriber.on('message', (_channel: string, text: string) => {
      if (text.startsWith(ECHO)) {
        this.#echo.heard = Number(text.slice(ECHO.length));
        return;
      }
      for (const parcel of this.#read(text)) this.#handOver(parcel, take);
    });
    await untilReady(this.#subscriber);
    await this.#subscriber.subscribe(channelOf(node));
    this.#subscriber.on('ready', () => this.#listenAgain(node));
    this.#echoes = setInterval(() => this.#sendEcho(node), this.#echoEveryMs).unref();
  }

  /** Stops looking after the subscription. */
  close(): void {
    clearInterval(this.#echoes);
  }

  #listenAgain(node: NodeId): void {
    this.#echo.heard = this.#echo.sent;
    this.#subscriber.subscribe(channelOf(node)).catch(() => {
      this.#tally.count('subscriptions_lost');
      // Where the connection is gone too, the next one begins with another try.
      setTimeout(() => {
        if (this.#subscriber.status === 'ready') this.#listenAgain(node);
      }, LISTEN_AGAIN_MS).unref();
    });
  }

  /**
   * Sends itself a word by the way that parcels take. A connection may answer pings and yet carry nothing: to a node
   * that was taken out of its Cluster, or that is cut off from the others.
   */
  #sendEcho(node: NodeId): void {
    if (this.#subscriber.status !== 'ready') return;
    if (this.#echo.sent - this.#echo.heard >= ECHOES_MISSED_MAX) {
      this.#tally.count('subscriptions_lost');
      this.#echo.heard = this.#echo.sent;
      this.#subscriber.disconnect(true);
      return;
    }
    const number = this.#echo.sent + 1;
    this.#publisher.publish(channelOf(node), `${ECHO}${number}`).then(
      () => (this.#echo.sent = Math.max(this.#echo.sent, number)),
      // Redis did not take it: that says nothing about the subscription.
      () => undefined,
    );
  }

  send(node: NodeId, parcel: Parcel): void {
    const waiting = this.#outgoing.get(node);
    if (waiting !== undefined) {
      waiting.push(parcel);
      return;
    }
    if (this.#outgoing.size === 0) setImmediate(() => this.#flush());
    this.#outgoing.set(node, [parcel]);
  }

  #flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = new Map();
    for (const [node, parcels] of outgoing) {
      const text = JSON.stringify({ version: LINK_VERSION, parcels });
      this.#publisher.publish(channelOf(node), text).then(
        (receivers) => {
          // What is no number answers another command: whether this one was carried out is not known.
          if (typeof receivers !== 'number') renewConnection(this.#publisher);
          else if (receivers === 0) this.#tally.count('parcels_without_receiver');
        },
        () => this.#tally.count('parcels_lost'),
      );
    }
  }

  /** Returns the well-formed parcels of a batch; counts and drops the others. */
  #read(text: string): readonly Parcel[] {
    const batch = parcelBatch.safeParse(safelyParsed(text));
    if (!batch.success) {
      this.#tally.count('parcels_malformed');
      return [];
    }
    return batch.data.parcels.flatMap((unread) => {
      const parcel = readParcel(unread);
      if (parcel === null) this.#tally.count('parcels_malformed');
      return parcel ?? [];
    });
  }

  /** Counts an error instead of throwing it: the caller is the Redis client's parser, and the rest of the batch follows. */
  #handOver(parcel: Parcel, take: (parcel: Parcel) => void): void {
    try {
      take(parcel);
    } catch {
      this.#tally.count('parcels_failed');
    }
  }
}

/** How long after a failed subscription the next one is tried. Milliseconds. */
const LISTEN_AGAIN_MS = 200;
/** How long the first connection may take. Milliseconds. */
const FIRST_CONNECTION_MS = 5_000;

/** How often a node sends itself an echo. Milliseconds. */
const ECHO_EVERY_MS = 2_000;
/** Echoes Redis took that did not come back, after which the subscription is made anew. */
const ECHOES_MISSED_MAX = 2;
/** What an echo begins with: no batch of parcels does. */
const ECHO = 'echo ';

const channelOf = (node: NodeId) => `${PREFIX}node:${node}`;

function untilReady(connection: Redis): Promise<void> {
  if (connection.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const ready = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      connection.off('ready', ready);
      reject(new Error(`no connection for a subscription within ${FIRST_CONNECTION_MS} ms`));
    }, FIRST_CONNECTION_MS);
    connection.once('ready', ready);
  });
}

function safelyParsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
