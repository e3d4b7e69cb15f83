import { describe, expect, test } from 'vitest';
import { Outbox, OUTBOX_MAX } from './outbox.ts';

function holding(...keys: string[]): Outbox {
  const outbox = new Outbox();
  for (const key of keys) outbox.add({ key, body: { kind: 'text', text: key } });
  return outbox;
}

describe('outbox', () => {
  test('numbers from one, without gaps', () => {
    expect(
      holding('a', 'b', 'c')
        .slice(1, 10)
        .map(({ seq, key }) => [seq, key]),
    ).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
  });

  test('removes everything up to an acknowledgement, once', () => {
    const outbox = holding('a', 'b', 'c');
    expect(outbox.acknowledge(2).map(({ key }) => key)).toEqual(['a', 'b']);
    expect(outbox.acknowledge(2)).toEqual([]);
    expect(outbox.acknowledge(1)).toEqual([]);
    expect(outbox.slice(3, 1)).toMatchObject([{ seq: 3, key: 'c' }]);
  });

  test('ignores an acknowledgement beyond its numbers', () => {
    const outbox = holding('a');
    expect(outbox.acknowledge(99)).toHaveLength(1);
    expect(outbox.first).toBe(2);
  });

  test('resends the identical body', () => {
    const outbox = holding('a');
    expect(outbox.slice(1, 1)[0]?.body).toBe(outbox.slice(1, 1)[0]?.body);
  });

  test('numbers from one again for a peer that lost its memory', () => {
    const outbox = holding('a', 'b', 'c');
    outbox.acknowledge(2);
    outbox.renumber();
    expect(outbox.slice(1, 9)).toMatchObject([{ seq: 1, key: 'c' }]);
    expect([outbox.first, outbox.last]).toEqual([1, 1]);
  });

  test('is full at its bound until something is acknowledged', () => {
    const outbox = holding(...Array.from({ length: OUTBOX_MAX }, (_, index) => String(index)));
    expect(outbox.isFull).toBe(true);
    outbox.acknowledge(1);
    expect(outbox.isFull).toBe(false);
  });
});
