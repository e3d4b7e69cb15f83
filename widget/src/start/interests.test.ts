import { LIMITS } from '@passerby/sdk';
import { expect, it } from 'vitest';
import { spokenLanguages, tidyInterest, toggleInterest } from './interests.ts';

it('normalises typed interests', () => {
  expect(tidyInterest('  Night   Trains ')).toBe('night trains');
  expect(tidyInterest('x'.repeat(60))).toHaveLength(LIMITS.interestMaxChars);
});

it('adds and removes an interest', () => {
  expect(toggleInterest(['jazz'], 'tea')).toEqual(['jazz', 'tea']);
  expect(toggleInterest(['jazz', 'tea'], 'jazz')).toEqual(['tea']);
});

it('accepts neither an empty interest nor more than the service permits', () => {
  const full = Array.from({ length: LIMITS.interestsMax }, (_, index) => `interest ${index}`);
  expect(toggleInterest(full, 'one more')).toEqual(full);
  expect(toggleInterest([], '')).toEqual([]);
});

it('names languages without their regions, each once', () => {
  expect(spokenLanguages(['en-GB', 'en', 'de-AT', ''])).toEqual(['en', 'de']);
});
