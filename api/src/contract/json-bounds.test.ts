import { describe, expect, it } from 'vitest';
import { isJsonWithin, isValueWithin } from './json-bounds.ts';

const BOUNDS = { depthMax: 3, valuesMax: 10 };
const within = (text: string, from?: number) => isJsonWithin(text, BOUNDS, from);

describe('S29 isJsonWithin', () => {
  it.each(['', '0', '[[[]]]', '{"a":{"b":[1,2,3]}}', '[1,2,3,4,5,6,7,8]'])('lets %s pass', (text) => {
    expect(within(text)).toBe(true);
  });

  it.each(['[[[[]]]]', '{"a":{"b":{"c":{}}}}', '[{"a":[[', '[1,2,3,4,5,6,7,8,9,10]', '[{},{},{},{},{},{}]'])(
    'stops at %s',
    (text) => {
      expect(within(text)).toBe(false);
    },
  );

  it.each(['"[[[[,,,,,,,,,,,,"', '"\\"[[[["', '"\\\\\\"[[[[{{{{"', '{"[[[[":"{{{{"}'])(
    'reads past what stands in a string: %s',
    (text) => {
      expect(within(text)).toBe(true);
    },
  );

  it('knows the end of a string that ends in a backslash', () => {
    expect(within('["\\\\",[[[[]]]]]')).toBe(false);
  });

  it('finds no end of a string that has none', () => {
    expect(within('"[[[[')).toBe(true);
    expect(within('"\\"')).toBe(true);
  });

  it('begins where it is told to', () => {
    expect(within('[[[[5"x"', 4)).toBe(true);
  });

  it('looks at a million levels without a call for each', () => {
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

  it('looks no deeper than it has to', () => {
    const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    expect(isValueWithin(deep, 16)).toBe(false);
  });
});
