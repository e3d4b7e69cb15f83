import type { Redis } from 'ioredis';
import type { NodeId } from '../domain/ids.ts';
import type { Metrics } from '../observability/metrics.ts';
import { renewConnection } from '../state/redis/foreign-answer.ts';
import { PREFIX } from '../state/redis/keys.ts';
import type { RedisClient } from '../state/redis/redis-client.ts';
import type { NodeBusFault, NodeBus, NodeMessage } from './node-bus.ts';
import { formatBatch, parseBatch, parseNodeMessage } from './node-message.ts';
import { WatchedSubscription, type SubscriptionOptions } from './watched-subscription.ts';

/**
 * Node bus over Redis Pub/Sub: each node subscribes to its own channel, and all messages of a node for another in one
 * turn of the event loop are published as one batch.
 */
export class RedisNodeBus implements NodeBus {
  readonly #publisher: RedisClient;
  readonly #subscription: WatchedSubscription;
  readonly #metrics: Metrics;
  #outgoing = new Map<NodeId, NodeMessage[]>();

  constructor(publisher: RedisClient, subscriber: Redis, metrics: Metrics, options: SubscriptionOptions = {}) {
    this.#publisher = publisher;
    const subscriptionsLost = metrics.counter('passerby_incidents_total', { kind: 'subscriptions_lost' });
    this.#subscription = new WatchedSubscription(publisher, subscriber, subscriptionsLost, options);
    this.#metrics = metrics;
  }

  /** Returns the fault by which no messages arrive, to this node or from it; `undefined` while its own echoes come back. */
  fault(): NodeBusFault | undefined {
    return this.#subscription.fault();
  }

  /**
   * Subscribes to the channel of this node. Resolves once messages of this node to itself arrive, or are late, which
   * `fault` then reports. Rejects if this Redis user may not subscribe, or not publish.
   */
  async listen(node: NodeId, take: (message: NodeMessage) => void): Promise<void> {
    await this.#subscription.listen(channelOf(node), (text) => {
      for (const message of this.#read(text)) this.#handOver(message, take);
    });
  }

  /** Stops checking the subscription. */
  close(): void {
    this.#subscription.close();
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
      this.#publisher.publish(channelOf(node), formatBatch(messages)).then(
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
    const batch = parseBatch(safelyParsed(text));
    if (batch === null) {
      this.#metrics.count('passerby_incidents_total', { kind: 'parcels_malformed' });
      return [];
    }
    return batch.flatMap((unread) => {
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
      // Its place is lost, and the count tells of it: a stack a message would let one peer fill the log.
      this.#metrics.count('passerby_incidents_total', { kind: 'parcels_failed' });
    }
  }
}

const channelOf = (node: NodeId) => `${PREFIX}node:${node}`;

function safelyParsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON: the caller counts it as malformed
  }
}
