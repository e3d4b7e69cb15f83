import { LIMITS } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { parseFrame } from './frame.ts';

const envelope = { conversationId: `c_${'x'.repeat(22)}`, run: 'a', seq: 1, ack: 0 };
const text = (length: number) => ({ ...envelope, body: { kind: 'text', text: '\u0000'.repeat(length) } });

describe('parseFrame', () => {
  test('accepts a text of maximum length, even if every character is escaped', () => {
    expect(parseFrame(text(LIMITS.textMaxChars))).toEqual(text(LIMITS.textMaxChars));
  });

  test('refuses a text that is one longer', () => {
    expect(parseFrame(text(LIMITS.textMaxChars + 1))).toBe('too_large');
  });

  test('accepts an unknown kind, up to the size of a frame', () => {
    const known = { ...envelope, body: { kind: 'sticker', pack: { id: 7 } } };
    expect(parseFrame(known)).toEqual(known);
    expect(parseFrame({ ...envelope, body: { kind: 'sticker', data: 'x'.repeat(LIMITS.frameMaxBytes) } })).toBe(
      'too_large',
    );
  });

  test('measures a text with additional fields', () => {
    expect(
      parseFrame({ ...envelope, body: { kind: 'text', text: 'hi', more: 'x'.repeat(LIMITS.frameMaxBytes) } }),
    ).toBe('too_large');
  });

  test.each([
    ['nothing', undefined],
    ['a string', 'frame'],
    ['a body without a kind', { ...envelope, body: {} }],
    ['a text that is no string', { ...envelope, body: { kind: 'text', text: 7 } }],
    ['a negative seq', { ...envelope, seq: -1, body: { kind: 'ack' } }],
    ['a fractional ack', { ...envelope, ack: 0.5, body: { kind: 'ack' } }],
    ['a seq beyond the highest', { ...envelope, seq: LIMITS.seqMax + 1, body: { kind: 'ack' } }],
    ['an unknown key', { ...envelope, to: 'me', body: { kind: 'ack' } }],
  ])('%s is malformed', (_, value) => {
    expect(parseFrame(value)).toBe('malformed');
  });
});
