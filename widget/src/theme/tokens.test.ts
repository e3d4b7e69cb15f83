import { describe, expect, it } from 'vitest';
import { contrast, parseColor, TEXT_CONTRAST } from './contrast.ts';
import { TEXT_PAIRS, TOKENS, type Token } from './tokens.ts';

describe.each(['light', 'dark'] as const)('%s theme', (theme) => {
  const color = (token: Token) => parseColor(TOKENS[theme][token])!;

  it.each(TEXT_PAIRS)('has readable %s on %s', (text, ground) => {
    expect(contrast(color(text), color(ground))).toBeGreaterThanOrEqual(TEXT_CONTRAST);
  });

  it.each(['you', 'them'] as const)('has enough contrast between the disc of %s and the background', (disc) => {
    // WCAG 1.4.11, graphical objects.
    expect(contrast(color(disc), color('surface'))).toBeGreaterThanOrEqual(3);
  });
});

it('has the same tokens in both themes', () => {
  expect(Object.keys(TOKENS.dark)).toEqual(Object.keys(TOKENS.light));
});
