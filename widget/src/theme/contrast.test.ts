import fc from 'fast-check';
import { expect, it } from 'vitest';
import { contrast, parseColor, TEXT_CONTRAST, textColorOn, type Rgb } from './contrast.ts';

const byte = fc.integer({ min: 0, max: 255 });
const anyColor = fc.tuple(byte, byte, byte) as fc.Arbitrary<Rgb>;
const hexOf = (color: Rgb) => `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`;

it('finds a readable text colour for any brand colour', () => {
  fc.assert(
    fc.property(anyColor, (brand) => {
      expect(contrast(textColorOn(brand), brand)).toBeGreaterThanOrEqual(TEXT_CONTRAST);
    }),
    { numRuns: 2_000 },
  );
});

it('returns 1 and 21 at the ends of the scale', () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBe(21);
  expect(contrast([90, 90, 90], [90, 90, 90])).toBe(1);
});

it('parses every hex colour', () => {
  fc.assert(
    fc.property(anyColor, (color) => {
      expect(parseColor(hexOf(color))).toEqual(color);
    }),
  );
});

it.each([
  ['#f80', [255, 136, 0]],
  [' #CB3C22 ', [203, 60, 34]],
  ['rgb(203, 60, 34)', [203, 60, 34]],
  ['rgb(203 60 34 / 0.5)', [203, 60, 34]],
  ['rgba(203, 60, 34, 0.5)', [203, 60, 34]],
  ['color(srgb 1 0.4 0)', [255, 102, 0]],
  ['color(srgb -0.2 1.3 1e-7)', [0, 255, 0]],
])('parses %s', (text, color) => expect(parseColor(text)).toEqual(color));

it.each(['', 'red', '#12', '#12345g', 'oklch(0.6 0.2 30)', 'url(https://example.com)'])('refuses %j', (text) =>
  expect(parseColor(text)).toBeNull(),
);
