import { expect, it } from 'vitest';
import { en } from './en.ts';
import { fill, pieces } from './fill.ts';

it('fills the blanks of a sentence', () => {
  expect(fill('{min}–{max} people', { min: 2, max: 5 })).toBe('2–5 people');
});

it('leaves a blank nobody fills, and never reads one from the prototype', () => {
  expect(fill('{what} and {toString}', {})).toBe('{what} and {toString}');
});

it('tells what was filled in from the words around it', () => {
  expect(pieces('You both like {interests}.', { interests: 'jazz' })).toEqual([
    { text: 'You both like ', isFilling: false },
    { text: 'jazz', isFilling: true },
    { text: '.', isFilling: false },
  ]);
});

it('does not fill what a filling brings along', () => {
  expect(fill('{a}', { a: '{b}', b: 'no' })).toBe('{b}');
});

it('says nothing in an empty string', () => {
  for (const [name, text] of Object.entries(en)) expect(text, name).not.toBe('');
});
