import { expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

/** Rows of [title, points, windowMs, [at, expected successes, attempts][]]. */
const TABLE: readonly [string, number, number, readonly [number, number, number][]][] = [
  ['gives what it holds at once, and no more', 3, 3_000, [[0, 3, 5]]],
  [
    'fills evenly',
    3,
    3_000,
    [
      [0, 3, 3],
      [999, 0, 1],
      [1_000, 1, 2],
      [2_000, 1, 2],
      [5_000, 3, 5],
    ],
  ],
  [
    'is never fuller than full',
    3,
    3_000,
    [
      [0, 1, 1],
      [60_000, 3, 9],
    ],
  ],
  [
    'gives one every two seconds after ten',
    10,
    20_000,
    [
      [0, 10, 20],
      [1_999, 0, 1],
      [2_000, 1, 2],
      [6_000, 2, 9],
    ],
  ],
  [
    'loses nothing to a clock that goes back',
    2,
    2_000,
    [
      [10_000, 1, 1],
      [0, 1, 2],
      [1_000, 1, 2],
    ],
  ],
  [
    'takes nothing for a refusal',
    1,
    1_000,
    [
      [0, 1, 1],
      [500, 0, 9],
      [1_000, 1, 1],
    ],
  ],
];

test.each(TABLE)('a bucket %s', (_, points, windowMs, steps) => {
  const bucket = new TokenBucket({ points, windowMs }, steps[0]![0]);
  const taken = steps.map(
    ([at, , tries]) => Array.from({ length: tries }, () => bucket.tryConsume(at)).filter(Boolean).length,
  );
  expect(taken).toEqual(steps.map(([, expected]) => expected));
});

test('a bucket returns the time until it has that many tokens, or is full', () => {
  const bucket = new TokenBucket({ points: 4, windowMs: 4_000 }, 0);
  for (let taken = 0; taken < 4; taken++) bucket.tryConsume(0);
  expect([0, 1, 3, 4, 32].map((points) => bucket.msUntil(points, 0))).toEqual([0, 1_000, 3_000, 4_000, 4_000]);
  expect(bucket.msUntil(3, 2_500)).toBe(500);
  expect(bucket.msUntil(3, 3_000)).toBe(0);
});
