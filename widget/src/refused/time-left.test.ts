import { expect, it } from 'vitest';
import { en } from '../i18n/en.ts';
import { timeLeft } from './time-left.ts';

it.each([
  [1, 'Try again in 1 s'],
  [4_001, 'Try again in 5 s'],
  [99_000, 'Try again in 99 s'],
  [100_000, 'Try again in 2 min'],
  [3_600_000, 'Try again in 60 min'],
  [3_600_000 * 24, 'Try again in 24 h'],
  [3_600_000 * 24 + 1, 'Try again in 25 h'],
])('formats %i ms as: %s', (ms, words) => expect(timeLeft(ms, en)).toBe(words));
