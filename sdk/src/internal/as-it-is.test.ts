import { afterEach, expect, test } from 'vitest';
import { asItIs } from './as-it-is.ts';

afterEach(() => {
  for (const prototype of [Array.prototype, Object.prototype]) Reflect.deleteProperty(prototype, 'toJSON');
});

test('changes nothing on a page with unmodified built-ins', () => {
  expect(asItIs()).toBeUndefined();
});

test.each([
  ['Array', Array.prototype],
  ['Object', Object.prototype],
])('sends unchanged data despite a toJSON of %s', (_, prototype) => {
  const sent = { words: ['a "word"', ['b']], count: 1, isIt: null };
  const right = JSON.stringify(sent);
  Object.assign(prototype, {
    toJSON(this: unknown) {
      return `[${String(this)}]`;
    },
  });
  expect(JSON.stringify(sent)).not.toBe(right);
  expect(JSON.stringify(sent, asItIs())).toBe(right);
});
