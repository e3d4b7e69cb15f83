import { describe, expect, it } from 'vitest';
import { isJsonWithin, isValueWithin } from './json-bounds.ts';

const BOUNDS = { depthMax: 3, valuesMax: 10 };
const within = (text: string, from?: number) => isJsonWithin(text, BOUNDS, from);

describe('S29 isJsonWithin', () => {
  it.each(['', '0', '[[[]]]', '{"a":{"b":[1,2,3]}}', '[1,2,3,4,5,6,7,8]'])('accepts %s', (text) => {
    expect(within(text)).toBe(true);
  });

  it.each(['[[[[]]]]', '{"a":{"b":{"c":{}}}}', '[{"a":[[', '[1,2,3,4,5,6,7,8,9,10]', '[{},{},{},{},{},{}]'])(
    'refuses %s',
    (text) => {
      expect(within(text)).toBe(false);
    },
  );

  it.each(['"[[[[,,,,,,,,,,,,"', '"\\"[[[["', '"\\\\\\"[[[[{{{{"', '{"[[[[":"{{{{"}'])(
    'skips the content of a string: %s',
    (text) => {
      expect(within(text)).toBe(true);
    },
  );

  it('finds the end of a string that ends in a backslash', () => {
    expect(within('["\\\\",[[[[]]]]]')).toBe(false);
  });

  it('refuses a string without an end', () => {
    expect(within('"[[[[')).toBe(true);
    expect(within('"\\"')).toBe(true);
  });

  it('begins at the given index', () => {
    expect(within('[[[[5"x"', 4)).toBe(true);
  });

  it('handles a million levels without recursion', () => {
    expect(isJsonWithin('['.repeat(1_000_000), { depthMax: 2_000_000, valuesMax: 2_000_000 })).toBe(true);
    expect(within('['.repeat(1_000_000))).toBe(false);
  });
});

describe('S29 isValueWithin', () => {
  it('counts levels of lists and objects', () => {
    expect(isValueWithin(7, 0)).toBe(true);
    expect(isValueWithin([{ a: [] }], 3)).toBe(true);
    expect(isValueWithin([{ a: [] }], 2)).toBe(false);
  });

  it('reads no deeper than necessary', () => {
    const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    expect(isValueWithin(deep, 16)).toBe(false);
  });
});
