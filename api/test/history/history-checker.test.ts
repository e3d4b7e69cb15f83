import type { Criteria } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { checkHistory } from './history-checker.ts';
import { saying, type Rest, type Seen, type VisitorHistory } from './history.ts';

const started = (conversationId: string, role = 'offerer'): Seen => ({ kind: 'started', conversationId, role, at: 0 });
const ended = (conversationId: string): Seen => ({ kind: 'ended', conversationId, reason: 'peer_left' });
const heard = (conversationId: string, from: number): Seen => ({
  kind: 'heard',
  conversationId,
  said: saying(from, conversationId),
});
const block = (conversationId: string, isAnswered = true): Seen[] => [
  { kind: 'asked', ask: 1, request: 'conversation:block', conversationId },
  { kind: 'answered', ask: 1, answer: isAnswered ? 'blocked' : 'unavailable', afterMs: 1 },
];
const of = (visitor: number, seen: readonly Seen[], rest: Rest = 'idle', criteria: Criteria = {}): VisitorHistory => ({
  visitor,
  criteria,
  seen,
  rest,
});
const rulesOf = (...histories: VisitorHistory[]) => [...new Set(checkHistory(histories).map(({ rule }) => rule))];

describe('history checker', () => {
  test('accepts a correct history', () => {
    const one = of(1, [started('c1'), heard('c1', 2), ended('c1'), started('c2'), heard('c2', 3)], 'chatting');
    const two = of(2, [started('c1', 'answerer'), heard('c1', 1), ended('c1')], 'waiting');
    const three = of(3, [started('c2', 'answerer'), heard('c2', 1)], 'chatting');
    expect(checkHistory([one, two, three])).toEqual([]);
  });

  test('I1 detects a second conversation within the first', () => {
    const one = of(1, [started('c1'), started('c2'), ended('c1'), ended('c2')]);
    expect(
      rulesOf(one, of(2, [started('c1', 'answerer'), ended('c1')]), of(3, [started('c2', 'answerer'), ended('c2')])),
    ).toEqual(['I1']);
  });

  test('I2 detects a conversation of three', () => {
    const three = [1, 2, 3].map((visitor) => of(visitor, [started('c1', `role ${visitor}`)], 'chatting'));
    expect(rulesOf(...three)).toContain('I2');
  });

  test('I2 detects a visitor who chats with nobody', () => {
    expect(rulesOf(of(1, [started('c1')], 'chatting'))).toEqual(['I2']);
  });

  test('I2 detects two sides with the same role', () => {
    expect(rulesOf(of(1, [started('c1')], 'chatting'), of(2, [started('c1')], 'chatting'))).toEqual(['I2']);
  });

  test('I4 detects a match of visitors who do not seek each other', () => {
    const one = of(1, [started('c1')], 'chatting', { is: 'a', seeks: ['b'] });
    expect(rulesOf(one, of(2, [started('c1', 'answerer')], 'chatting'))).toEqual(['I4']);
  });

  test.each(['the one who blocked', 'the one who was blocked'])('I5 detects that %s meets the other again', (who) => {
    const blocker = of(1, [started('c1'), ...block('c1'), ended('c1'), started('c2'), ended('c2')]);
    const blocked = of(2, [started('c1', 'answerer'), ended('c1'), started('c2', 'answerer'), ended('c2')]);
    expect(rulesOf(...(who === 'the one who blocked' ? [blocker, blocked] : [blocked, blocker]))).toEqual(['I5']);
  });

  test('I5 ignores a block that was not acknowledged', () => {
    const blocker = of(1, [started('c1'), ...block('c1', false), ended('c1'), started('c2'), ended('c2')]);
    const other = of(2, [started('c1', 'answerer'), ended('c1'), started('c2', 'answerer'), ended('c2')]);
    expect(rulesOf(blocker, other)).toEqual([]);
  });

  test('I7 detects a message of a third visitor', () => {
    const one = of(1, [started('c1'), { kind: 'heard', conversationId: 'c1', said: saying(3, 'c9') }], 'chatting');
    expect(rulesOf(one, of(2, [started('c1', 'answerer')], 'chatting'))).toEqual(['I7']);
  });

  test('I7 detects a message after the end', () => {
    const one = of(1, [started('c1'), ended('c1'), heard('c1', 2)]);
    expect(rulesOf(one, of(2, [started('c1', 'answerer'), ended('c1')]))).toEqual(['I7']);
  });

  test.each([
    ['a second end', [started('c1'), ended('c1'), ended('c1')]],
    ['an end without a start', [started('c1'), ended('c1'), ended('c0')]],
    ['a start after the end', [started('c1'), ended('c1'), started('c1'), ended('c1')]],
  ])('I10 detects %s', (_, seen) => {
    expect(rulesOf(of(1, seen), of(2, [started('c1', 'answerer'), ended('c1')]))).toContain('I10');
  });

  test('I10 detects a side that is never told the end', () => {
    expect(rulesOf(of(1, [started('c1'), ended('c1')]), of(2, [started('c1', 'answerer')], 'chatting'))).toEqual([
      'I10',
    ]);
  });

  test('L1 detects two visitors who fit and both wait', () => {
    expect(rulesOf(of(1, [], 'waiting'), of(2, [], 'waiting'))).toEqual(['L1']);
    expect(rulesOf(of(1, [], 'waiting', { seeks: ['b'] }), of(2, [], 'waiting'))).toEqual([]);
  });

  test('L1 accepts two waiting visitors of whom one blocked the other', () => {
    const one = of(1, [started('c1'), ...block('c1', false), ended('c1')], 'waiting');
    expect(rulesOf(one, of(2, [started('c1', 'answerer'), ended('c1')], 'waiting'))).toEqual([]);
  });

  test('L3 detects a request without an answer, and a promised start that never came', () => {
    expect(rulesOf(of(1, [{ kind: 'asked', ask: 1, request: 'match:find' }]))).toEqual(['L3']);
    expect(rulesOf(of(1, [], 'promised'))).toEqual(['L3']);
  });

  test('detects an unexpected loss of a connection', () => {
    expect(rulesOf(of(1, [{ kind: 'disconnected' }]))).toEqual(['connected']);
  });

  test('detects, if connections may be cut, a visitor who did not come back, and a conversation that did not end for the other side', () => {
    const resumed: Seen = { kind: 'resumed', conversationId: null, role: '' };
    const rules = (...histories: VisitorHistory[]) =>
      checkHistory(histories, { areCutsAllowed: true }).map(({ rule }) => rule);
    expect(rules(of(1, [{ kind: 'disconnected' }]))).toEqual(['connected']);
    expect(rules(of(1, [{ kind: 'disconnected' }, resumed]))).toEqual([]);
    const one = of(1, [started('c1'), { kind: 'disconnected' }, resumed]);
    expect(rules(one, of(2, [started('c1', 'answerer'), ended('c1')]))).toEqual([]);
    expect(rules(one, of(2, [started('c1', 'answerer')], 'chatting'))).toEqual(['I10']);
  });
});
