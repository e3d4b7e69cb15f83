import { LIMITS } from '@passerby/sdk';
import { expect, it } from 'vitest';
import { spokenLanguages, tidyInterest, toggleInterest } from './interests.ts';

it('tidies what a visitor types', () => {
  expect(tidyInterest('  Night   Trains ')).toBe('night trains');
  expect(tidyInterest('x'.repeat(60))).toHaveLength(LIMITS.interestMaxChars);
});

it('takes an interest in and out again', () => {
  expect(toggleInterest(['jazz'], 'tea')).toEqual(['jazz', 'tea']);
  expect(toggleInterest(['jazz', 'tea'], 'jazz')).toEqual(['tea']);
});

it('takes in neither nothing nor more than the service reads', () => {
  const full = Array.from({ length: LIMITS.interestsMax }, (_, index) => `interest ${index}`);
  expect(toggleInterest(full, 'one more')).toEqual(full);
  expect(toggleInterest([], '')).toEqual([]);
});

it('names languages without their regions, each once', () => {
  expect(spokenLanguages(['en-GB', 'en', 'de-AT', ''])).toEqual(['en', 'de']);
});
