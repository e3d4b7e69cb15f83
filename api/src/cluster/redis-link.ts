import { LINK_VERSION, parcelBatch, readParcel } from '../contract/parcel.ts';
import type { Tally } from '../observability/tally.ts';
import type { RedisClient } from '../state/redis/client.ts';
import { PREFIX } from '../state/redis/keys.ts';
import type { NodeId } from '../state/state-store.ts';
import type { NodeLink, Parcel } from './node-link.ts';

/**
 * Node-addressed publish over Redis: each node listens to its own channel, and what a node has for
 * another in one turn of the event loop is one message.
 */
export class RedisLink implements NodeLink {
  readonly #publisher: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #tally: Tally;
  #outgoing = new Map<NodeId, Parcel[]>();

  constructor(publisher: RedisClient, subscriber: RedisClient, tally: Tally) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#tally = tally;
  }

  /** Starts listening for this node, and goes on whenever the connection is a new one. Resolves once Redis has the subscription. */
  async listen(node: NodeId, take: (parcel: Parcel) => void): Promise<void> {
    this.#subscriber.on('message', (_channel: string, text: string) => {
      for (const parcel of this.#read(text)) this.#handOver(parcel, take);
    });
    await this.#subscriber.subscribe(channelOf(node));
    this.#subscriber.on('ready', () => this.#listenAgain(node));
  }

  #listenAgain(node: NodeId): void {
    this.#subscriber.subscribe(channelOf(node)).catch(() => {
      this.#tally.count('subscriptions_lost');
      // Where the connection is gone too, the next one begins with another try.
      setTimeout(() => {
        if (this.#subscriber.status === 'ready') this.#listenAgain(node);
      }, LISTEN_AGAIN_MS).unref();
    });
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
          if (Number(receivers) === 0) this.#tally.count('parcels_without_receiver');
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

const channelOf = (node: NodeId) => `${PREFIX}node:${node}`;

function safelyParsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
