import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMITS, type UnknownBody } from '../protocol/index.ts';
import { parseBody } from './parse-body.ts';

describe('parseBody', () => {
  test('accepts a text', () => {
    expect(parseBody({ kind: 'text', text: 'hi' })).toEqual({ kind: 'known', body: { kind: 'text', text: 'hi' } });
    expect(parseBody({ kind: 'text', text: 'x'.repeat(LIMITS.textMaxChars) }).kind).toBe('known');
  });

  test('keeps only the fields of the kind', () => {
    expect(parseBody({ kind: 'text', text: 'hi', html: '<b>', __proto__: { x: 1 } })).toEqual({
      kind: 'known',
      body: { kind: 'text', text: 'hi' },
    });
  });

  test.each([
    {},
    { text: '' },
    { text: 7 },
    { text: null },
    { text: ['hi'] },
    { text: 'x'.repeat(LIMITS.textMaxChars + 1) },
  ])('refuses a text with %j', (fields) => {
    expect(parseBody({ kind: 'text', ...fields })).toEqual({ kind: 'junk' });
  });

  test('accepts typing on and off only', () => {
    expect(parseBody({ kind: 'typing', on: false })).toEqual({ kind: 'known', body: { kind: 'typing', on: false } });
    expect(parseBody({ kind: 'typing', on: 1 })).toEqual({ kind: 'junk' });
    expect(parseBody({ kind: 'typing' })).toEqual({ kind: 'junk' });
  });

  test('accepts a bare acknowledgement, without fields', () => {
    expect(parseBody({ kind: 'ack', text: 'hi' })).toEqual({ kind: 'known', body: { kind: 'ack' } });
  });

  test.each(['reaction', '', 'constructor', '__proto__'])(
    'distinguishes the unknown kind %j from an invalid body',
    (kind) => {
      expect(parseBody({ kind })).toEqual({ kind: 'unknown' });
    },
  );

  test('never throws', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('text', 'typing', 'ack', 'x'),
        fc.dictionary(fc.string(), fc.anything()),
        (kind, rest) => {
          parseBody({ ...rest, kind } as UnknownBody);
        },
      ),
    );
  });
});
