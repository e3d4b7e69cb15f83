import { expect, it } from 'vitest';
import { en } from '../i18n/en.ts';
import { sharedWords } from './shared-words.ts';

it.each([
  [{ interests: [], isSameTopic: false }, 'You are talking to a stranger. Say hello.'],
  [{ interests: [], isSameTopic: true }, 'You are both reading this page'],
  [{ interests: ['jazz'], isSameTopic: false }, 'You both like jazz'],
  [
    { interests: ['jazz', 'tea', 'trains'], isSameTopic: true },
    'You both like jazz, tea, and trains and are reading this page',
  ],
])('describes %j as: %s', (shared, words) => {
  expect(
    sharedWords(shared, en, 'en')
      .map(({ text }) => text)
      .join(''),
  ).toBe(words);
});
