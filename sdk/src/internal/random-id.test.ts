import { expect, test } from 'vitest';
import { ID_PATTERN } from '../protocol/index.ts';
import { randomId } from './random-id.ts';

test('an id has the requested length, is valid on the wire, and is unique', () => {
  const ids = Array.from({ length: 500 }, () => randomId(22));
  for (const id of ids) {
    expect(id).toHaveLength(22);
    expect(id).toMatch(ID_PATTERN.requestId);
    expect(id).toMatch(ID_PATTERN.run);
  }
  expect(new Set(ids).size).toBe(500);
});
