import type { Message } from '@passerby/sdk';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { groupMessages, statusOf } from './grouping.ts';

const mine = (id: string, at = 0, status: 'sending' | 'delivered' | 'undelivered' = 'delivered'): Message => ({
  from: 'me',
  id,
  text: id,
  at,
  status,
});
const theirs = (id: string, at = 0): Message => ({ from: 'peer', id, text: id, at });
const shape = (messages: Message[]) => groupMessages(messages).map((group) => group.messages.map(({ id }) => id));

it('groups consecutive messages of one side', () => {
  expect(shape([mine('a'), mine('b'), theirs('c'), mine('d')])).toEqual([['a', 'b'], ['c'], ['d']]);
});

it('begins a new group after a long silence', () => {
  expect(shape([mine('a', 0), mine('b', 180_000), mine('c', 360_001)])).toEqual([['a', 'b'], ['c']]);
});

it('distinguishes equal ids of the two sides', () => {
  const ids = groupMessages([mine('1'), theirs('1')]).map(({ id }) => id);
  expect(new Set(ids).size).toBe(2);
});

it('loses, repeats and reorders nothing', () => {
  const message = fc.tuple(fc.boolean(), fc.nat(400_000));
  fc.assert(
    fc.property(fc.array(message), (drawn) => {
      const messages = drawn.map(([isMine, at], index) => (isMine ? mine(`${index}`, at) : theirs(`${index}`, at)));
      expect(groupMessages(messages).flatMap((group) => group.messages)).toEqual(messages);
    }),
  );
});

it('shows the status of the newest own message only', () => {
  const messages = [mine('a'), mine('b', 0, 'sending'), theirs('c')];
  expect(messages.map((message) => statusOf(message, messages))).toEqual([null, 'sending', null]);
});

it('marks every undelivered message', () => {
  const messages = [mine('a', 0, 'undelivered'), mine('b', 0, 'undelivered')];
  expect(messages.map((message) => statusOf(message, messages))).toEqual(['undelivered', 'undelivered']);
});
