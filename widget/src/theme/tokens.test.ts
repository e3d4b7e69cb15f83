import { describe, expect, it } from 'vitest';
import { contrast, parseColor, TEXT_CONTRAST } from './contrast.ts';
import { TEXT_PAIRS, TOKENS, type Token } from './tokens.ts';

describe.each(['light', 'dark'] as const)('the %s theme', (theme) => {
  const color = (token: Token) => parseColor(TOKENS[theme][token])!;

  it.each(TEXT_PAIRS)('lets %s be read on %s', (text, ground) => {
    expect(contrast(color(text), color(ground))).toBeGreaterThanOrEqual(TEXT_CONTRAST);
  });

  it.each(['you', 'them'] as const)('lets the disc of %s be told from the paper', (disc) => {
    // WCAG 1.4.11, graphical objects.
    expect(contrast(color(disc), color('surface'))).toBeGreaterThanOrEqual(3);
  });
});

it('names the same tokens in both themes', () => {
  expect(Object.keys(TOKENS.dark)).toEqual(Object.keys(TOKENS.light));
});
