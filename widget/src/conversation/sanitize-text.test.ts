import { expect, it } from 'vitest';
import { sanitizeText } from './sanitize-text.ts';

it.each(['hello', 'مرحبا، كيف الحال؟', 'שלום', 'नमस्ते', 'Việt Nam', '👩‍👩‍👧‍👦 ❤️', 'a\n\nb', '<b>bold</b>'])(
  'leaves %j unchanged',
  (text) => expect(sanitizeText(text)).toBe(text),
);

it('removes direction overrides', () => {
  expect(sanitizeText('exe.\u202etxt\u202c \u2067x\u2069')).toBe('exe.txt x');
});

it('limits stacked combining marks', () => {
  expect(sanitizeText(`a${'\u0301'.repeat(500)}b`)).toBe(`a${'\u0301'.repeat(4)}b`);
});

it('collapses blank lines', () => {
  expect(sanitizeText(`top${'\n \t'.repeat(300)}\nbottom`)).toBe('top\n\nbottom');
});
