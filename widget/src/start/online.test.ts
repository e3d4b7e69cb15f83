import { expect, it } from 'vitest';
import { en } from '../i18n/en.ts';
import { onlineWords } from './online.ts';

it.each([
  [{ min: 0, max: 1 }, 'Only you so far'],
  [{ min: 1, max: 1 }, 'Only you so far'],
  [{ min: 1, max: 4 }, 'Fewer than 5 people on this site'],
  [{ min: 2, max: 5 }, 'Fewer than 6 people on this site'],
  [{ min: 12, max: 19 }, '12–19 people on this site'],
  [{ min: 10_000, max: null }, 'More than 10000 people on this site'],
])('describes %j as: %s', (online, words) => expect(onlineWords(online, en)).toBe(words));
