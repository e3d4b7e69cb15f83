import { expect, it } from 'vitest';
import { en } from './en.ts';
import { fill, pieces } from './fill.ts';

it('replaces the placeholders of a sentence', () => {
  expect(fill('{min}–{max} people', { min: 2, max: 5 })).toBe('2–5 people');
});

it('keeps a placeholder without a value, and never reads one from the prototype', () => {
  expect(fill('{what} and {toString}', {})).toBe('{what} and {toString}');
});

it('distinguishes values from the surrounding text', () => {
  expect(pieces('You both like {interests}.', { interests: 'jazz' })).toEqual([
    { text: 'You both like ', isFilling: false },
    { text: 'jazz', isFilling: true },
    { text: '.', isFilling: false },
  ]);
});

it('does not replace placeholders in a value', () => {
  expect(fill('{a}', { a: '{b}', b: 'no' })).toBe('{b}');
});

it('returns nothing for an empty string', () => {
  for (const [name, text] of Object.entries(en)) expect(text, name).not.toBe('');
});
