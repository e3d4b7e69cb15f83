import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Metrics } from '../observability/metrics.ts';
import type { RedisClient } from '../state/redis/redis-client.ts';
import type { NodeId } from '../domain/ids.ts';
import type { NodeMessage } from './node-bus.ts';
import { RedisNodeBus } from './redis-node-bus.ts';

const superseded = (fence: number) => ({ kind: 'superseded', sessionId: 's_a', fence });
const frame = (body: unknown, seq = 1) => ({
  kind: 'frame',
  from: 's_a',
  to: 's_b',
  frame: { conversationId: `c_${'x'.repeat(22)}`, run: 'r', seq, ack: 0, body },
});
/** Text of a batch as each version publishes it. */
const textOf = (messages: readonly unknown[]) => `{"version":1,"parcels":${JSON.stringify(messages)}}`;
/** Placeholder for lists nested too deep for `JSON.stringify` in the text of a batch. */
const DEEP = 'deep';
const LEVELS = 7_000;

/** Fake of the two Redis connections of a node bus: published messages come back, unless a test overrides it. */
function fakeRedis() {
  const subscriber = Object.assign(new EventEmitter(), {
    subscribe: vi.fn(() => Promise.resolve(1)),
    disconnect: vi.fn(),
    status: 'ready',
  });
  const publish = vi.fn((channel: string, text: string) => {
    subscriber.emit('message', channel, text);
    return Promise.resolve(1);
  });
  return { subscriber, publish };
}

/** Node bus that receives what the test publishes, and the messages that it passed on. */
async function listening(take: (message: NodeMessage) => void = () => undefined) {
  const { subscriber, publish } = fakeRedis();
  const metrics = new Metrics();
  const taken: NodeMessage[] = [];
  const bus = new RedisNodeBus({ publish } as unknown as RedisClient, subscriber as unknown as Redis, metrics);
  await bus.listen('n_1' as NodeId, (message) => {
    taken.push(message);
    take(message);
  });
  const hearText = (text: string) => subscriber.emit('message', 'channel', text);
  const hear = (messages: readonly unknown[]) =>
    hearText(textOf(messages).replace(`"${DEEP}"`, '['.repeat(LEVELS) + ']'.repeat(LEVELS)));
  return { hear, hearText, taken, metrics };
}

describe('S29 node bus', () => {
  it.each([
    ['is nothing', null],
    ['is of a kind there is none of', { kind: 'news' }],
    ['has a key too many', { ...superseded(1), more: 1 }],
    ['is a frame that nests 7,000 deep', frame({ kind: 'x', v: DEEP })],
    ['is a frame of 20 kB', frame({ kind: 'x', v: 'x'.repeat(20_000) })],
    ['is a text that is none', frame({ kind: 'text', text: 7 })],
  ])('drops a message that %s, counts it, and accepts the others of its batch', async (_, message) => {
    const { hear, taken, metrics } = await listening();
    hear([superseded(1), message, superseded(2)]);
    expect(taken).toEqual([superseded(1), superseded(2)]);
    expect(metrics.countOf('passerby_incidents_total', { kind: 'parcels_malformed' })).toBe(1);
  });

  it('sends a batch in the form that nodes of the previous version read', () => {
    const { subscriber, publish } = fakeRedis();
    const bus = new RedisNodeBus({ publish } as unknown as RedisClient, subscriber as unknown as Redis, new Metrics());
    for (const fence of [1, 2]) bus.send('n_2' as NodeId, superseded(fence) as NodeMessage);
    const texts = () => publish.mock.calls.map(([, text]) => text);
    return vi.waitFor(() => expect(texts()).toEqual([textOf([superseded(1), superseded(2)])]), { timeout: 30_000 });
  });

  it('subscribes again on a connection that is replaced while a start waits for the first echo', async () => {
    const { subscriber } = fakeRedis();
    const publish = vi.fn(() => Promise.resolve(1));
    const bus = new RedisNodeBus({ publish } as unknown as RedisClient, subscriber as unknown as Redis, new Metrics());
    const isListening = bus.listen('n_1' as NodeId, () => undefined);
    await vi.waitFor(() => expect(publish).toHaveBeenCalled(), { timeout: 60_000 });
    subscriber.emit('ready');
    expect(subscriber.subscribe).toHaveBeenCalledTimes(2);
    await isListening;
    bus.close();
  });

  it('accepts messages after one whose handling fails', async () => {
    const { hear, taken, metrics } = await listening((message) => {
      if (message.kind === 'superseded' && message.fence === 1)
        throw new RangeError('Maximum call stack size exceeded');
    });
    hear([superseded(1), superseded(2)]);
    hear([superseded(3)]);
    expect(taken).toHaveLength(3);
    expect(metrics.countOf('passerby_incidents_total', { kind: 'parcels_failed' })).toBe(1);
  });

  it.each(['', 'null', '[]', '{"version":1,"parcels":[]}', '{"version":2,"parcels":[1]}', '['.repeat(100_000)])(
    'drops a malformed batch',
    async (text) => {
      const { hearText, taken, metrics } = await listening();
      hearText(text);
      expect([taken, metrics.countOf('passerby_incidents_total', { kind: 'parcels_malformed' })]).toEqual([[], 1]);
    },
  );
});

describe('fault of the node bus', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const DENIED = new Error('NOPERM User passerby has no permissions to run the command');

  function stage() {
    const redis = fakeRedis();
    const faults: (string | undefined)[] = [];
    const bus = new RedisNodeBus(
      { publish: redis.publish } as unknown as RedisClient,
      redis.subscriber as unknown as Redis,
      new Metrics(),
      { onFaultChange: (fault) => void faults.push(fault) },
    );
    const listen = () => bus.listen('n_1' as NodeId, () => undefined);
    return { ...redis, bus, faults, listen };
  }

  it('is none while echoes come back', async () => {
    const { bus, listen, faults } = stage();
    await listen();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([bus.fault(), faults]).toEqual([undefined, []]);
    bus.close();
  });

  it('is reported once, and once more when echoes come back', async () => {
    const { bus, listen, faults, publish } = stage();
    await listen();
    publish.mockImplementation(() => Promise.resolve(0));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(bus.fault()).toBe(undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([bus.fault(), faults]).toEqual(['NO_ECHO', ['NO_ECHO']]);
    publish.mockRestore();
    await vi.advanceTimersByTimeAsync(4_000);
    expect([bus.fault(), faults]).toEqual([undefined, ['NO_ECHO', undefined]]);
    bus.close();
  });

  it('is NO_PUBLISH as soon as the permission is missing', async () => {
    const { bus, listen, publish } = stage();
    await listen();
    publish.mockRejectedValue(DENIED);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(bus.fault()).toBe('NO_PUBLISH');
    bus.close();
  });

  it('is NO_SUBSCRIBE as soon as a new connection lacks the permission', async () => {
    const { bus, listen, subscriber } = stage();
    await listen();
    subscriber.subscribe.mockRejectedValueOnce(DENIED);
    subscriber.emit('ready');
    await vi.advanceTimersByTimeAsync(0);
    expect(bus.fault()).toBe('NO_SUBSCRIBE');
    await vi.advanceTimersByTimeAsync(200);
    expect(bus.fault()).toBe(undefined);
    bus.close();
  });

  it('is NO_ECHO if the connection stays closed, or the first echo never came', async () => {
    const { bus, listen, publish } = stage();
    publish.mockImplementation(() => Promise.resolve(0));
    const isListening = listen();
    await vi.advanceTimersByTimeAsync(1_000);
    await isListening;
    expect(bus.fault()).toBe('NO_ECHO');
    bus.close();
    const other = stage();
    await other.listen();
    other.subscriber.status = 'connecting';
    await vi.advanceTimersByTimeAsync(6_000);
    expect(other.faults).toEqual(['NO_ECHO']);
    other.bus.close();
  });

  it('fails the start of a user who may not publish', async () => {
    const { listen, publish } = stage();
    publish.mockRejectedValue(DENIED);
    await expect(listen()).rejects.toThrow('NOPERM');
  });
});
