import { expect, it } from 'vitest';
import { sanitizeText } from './sanitize-text.ts';

it.each(['hello', 'مرحبا، كيف الحال؟', 'שלום', 'नमस्ते', 'Việt Nam', '👩‍👩‍👧‍👦 ❤️', 'a\n\nb', '<b>bold</b>'])(
  'leaves %j as it is',
  (text) => expect(sanitizeText(text)).toBe(text),
);

it('takes out what would turn the text around', () => {
  expect(sanitizeText('exe.\u202etxt\u202c \u2067x\u2069')).toBe('exe.txt x');
});

it('lowers towers of marks', () => {
  expect(sanitizeText(`a${'\u0301'.repeat(500)}b`)).toBe(`a${'\u0301'.repeat(4)}b`);
});

it('closes up a wall of blank lines', () => {
  expect(sanitizeText(`top${'\n \t'.repeat(300)}\nbottom`)).toBe('top\n\nbottom');
});
