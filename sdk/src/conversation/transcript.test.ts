import { expect, test } from 'vitest';
import { Transcript } from './transcript.ts';

test('keeps messages in the order they were added, each with an id of its own', () => {
  const transcript = new Transcript();
  transcript.addOwn('one', 1);
  transcript.addPeer('two', 2);
  transcript.addOwn('three', 3);
  expect(transcript.messages.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  expect(new Set(transcript.messages.map(({ id }) => id)).size).toBe(3);
});

test('creates a new message and a new list for a new status, and keeps the other objects', () => {
  const transcript = new Transcript();
  const one = transcript.addOwn('one', 1);
  const two = transcript.addOwn('two', 2);
  const before = transcript.messages;
  const marked = transcript.mark([one.id], 'delivered');
  expect(marked).toEqual([{ ...one, status: 'delivered' }]);
  expect(before[0]).toBe(one);
  expect(transcript.messages).not.toBe(before);
  expect(transcript.messages[0]).toBe(marked[0]);
  expect(transcript.messages[1]).toBe(two);
});

test('keeps the list if nothing was marked', () => {
  const transcript = new Transcript();
  transcript.addPeer('hi', 1);
  const before = transcript.messages;
  expect(transcript.mark([], 'delivered')).toEqual([]);
  expect(transcript.messages).toBe(before);
});
