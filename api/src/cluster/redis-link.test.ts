import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { Tally } from '../observability/tally.ts';
import type { RedisClient } from '../state/redis/client.ts';
import type { NodeId } from '../state/state-store.ts';
import type { Parcel } from './node-link.ts';
import { RedisLink } from './redis-link.ts';

const superseded = (fence: number) => ({ kind: 'superseded', sessionId: 's_a', fence });
const frame = (body: unknown, seq = 1) => ({
  kind: 'frame',
  from: 's_a',
  to: 's_b',
  frame: { conversationId: `c_${'x'.repeat(22)}`, run: 'r', seq, ack: 0, body },
});
/** Stands for lists in lists in the text of a batch: too many for `JSON.stringify`. */
const DEEP = 'deep';
const LEVELS = 7_000;

/** A link that hears what it is told to, and what it took. */
async function listening(take: (parcel: Parcel) => void = () => undefined) {
  const subscriber = Object.assign(new EventEmitter(), { subscribe: () => Promise.resolve(1), status: 'ready' });
  const tally = new Tally();
  const taken: Parcel[] = [];
  const link = new RedisLink({} as RedisClient, subscriber as unknown as Redis, tally);
  await link.listen('n_1' as NodeId, (parcel) => {
    taken.push(parcel);
    take(parcel);
  });
  const hearText = (text: string) => subscriber.emit('message', 'channel', text);
  const hear = (parcels: readonly unknown[]) =>
    hearText(JSON.stringify({ version: 1, parcels }).replace(`"${DEEP}"`, '['.repeat(LEVELS) + ']'.repeat(LEVELS)));
  return { hear, hearText, taken, tally };
}

describe('S29 the link to other nodes', () => {
  it.each([
    ['is nothing', null],
    ['is of a kind there is none of', { kind: 'news' }],
    ['has a key too many', { ...superseded(1), more: 1 }],
    ['is a frame that nests 7,000 deep', frame({ kind: 'x', v: DEEP })],
    ['is a frame of 20 kB', frame({ kind: 'x', v: 'x'.repeat(20_000) })],
    ['is a text that is none', frame({ kind: 'text', text: 7 })],
  ])('drops a parcel that %s, counts it, and takes the others of its batch', async (_, parcel) => {
    const { hear, taken, tally } = await listening();
    hear([superseded(1), parcel, superseded(2)]);
    expect(taken).toEqual([superseded(1), superseded(2)]);
    expect(tally.of('parcels_malformed')).toBe(1);
  });

  it('takes what comes after a parcel whose handling fails', async () => {
    const { hear, taken, tally } = await listening((parcel) => {
      if (parcel.kind === 'superseded' && parcel.fence === 1) throw new RangeError('Maximum call stack size exceeded');
    });
    hear([superseded(1), superseded(2)]);
    hear([superseded(3)]);
    expect(taken).toHaveLength(3);
    expect(tally.of('parcels_failed')).toBe(1);
  });

  it.each(['', 'null', '[]', '{"version":1,"parcels":[]}', '{"version":2,"parcels":[1]}', '['.repeat(100_000)])(
    'drops a batch that is none',
    async (text) => {
      const { hearText, taken, tally } = await listening();
      hearText(text);
      expect([taken, tally.of('parcels_malformed')]).toEqual([[], 1]);
    },
  );
});
