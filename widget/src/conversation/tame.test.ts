import { expect, it } from 'vitest';
import { tame } from './tame.ts';

it.each(['hello', 'مرحبا، كيف الحال؟', 'שלום', 'नमस्ते', 'Việt Nam', '👩‍👩‍👧‍👦 ❤️', 'a\n\nb', '<b>bold</b>'])(
  'leaves %j as it is',
  (text) => expect(tame(text)).toBe(text),
);

it('takes out what would turn the text around', () => {
  expect(tame('exe.\u202etxt\u202c \u2067x\u2069')).toBe('exe.txt x');
});

it('lowers towers of marks', () => {
  expect(tame(`a${'\u0301'.repeat(500)}b`)).toBe(`a${'\u0301'.repeat(4)}b`);
});

it('closes up a wall of blank lines', () => {
  expect(tame(`top${'\n \t'.repeat(300)}\nbottom`)).toBe('top\n\nbottom');
});
