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

describe('the history checker', () => {
  test('finds nothing in a history as it should be', () => {
    const one = of(1, [started('c1'), heard('c1', 2), ended('c1'), started('c2'), heard('c2', 3)], 'chatting');
    const two = of(2, [started('c1', 'answerer'), heard('c1', 1), ended('c1')], 'waiting');
    const three = of(3, [started('c2', 'answerer'), heard('c2', 1)], 'chatting');
    expect(checkHistory([one, two, three])).toEqual([]);
  });

  test('I1 sees a second conversation within the first', () => {
    const one = of(1, [started('c1'), started('c2'), ended('c1'), ended('c2')]);
    expect(
      rulesOf(one, of(2, [started('c1', 'answerer'), ended('c1')]), of(3, [started('c2', 'answerer'), ended('c2')])),
    ).toEqual(['I1']);
  });

  test('I2 sees a conversation of three', () => {
    const three = [1, 2, 3].map((visitor) => of(visitor, [started('c1', `role ${visitor}`)], 'chatting'));
    expect(rulesOf(...three)).toContain('I2');
  });

  test('I2 sees somebody who chats with nobody', () => {
    expect(rulesOf(of(1, [started('c1')], 'chatting'))).toEqual(['I2']);
  });

  test('I2 sees two sides that are told the same role', () => {
    expect(rulesOf(of(1, [started('c1')], 'chatting'), of(2, [started('c1')], 'chatting'))).toEqual(['I2']);
  });

  test('I4 sees two who do not seek each other', () => {
    const one = of(1, [started('c1')], 'chatting', { is: 'a', seeks: ['b'] });
    expect(rulesOf(one, of(2, [started('c1', 'answerer')], 'chatting'))).toEqual(['I4']);
  });

  test.each(['the one who blocked', 'the one who was blocked'])('I5 sees %s meet the other again', (who) => {
    const blocker = of(1, [started('c1'), ...block('c1'), ended('c1'), started('c2'), ended('c2')]);
    const blocked = of(2, [started('c1', 'answerer'), ended('c1'), started('c2', 'answerer'), ended('c2')]);
    expect(rulesOf(...(who === 'the one who blocked' ? [blocker, blocked] : [blocked, blocker]))).toEqual(['I5']);
  });

  test('I5 expects nothing of a block that was not acknowledged', () => {
    const blocker = of(1, [started('c1'), ...block('c1', false), ended('c1'), started('c2'), ended('c2')]);
    const other = of(2, [started('c1', 'answerer'), ended('c1'), started('c2', 'answerer'), ended('c2')]);
    expect(rulesOf(blocker, other)).toEqual([]);
  });

  test('I7 sees what was said by somebody else', () => {
    const one = of(1, [started('c1'), { kind: 'heard', conversationId: 'c1', said: saying(3, 'c9') }], 'chatting');
    expect(rulesOf(one, of(2, [started('c1', 'answerer')], 'chatting'))).toEqual(['I7']);
  });

  test('I7 sees what is heard after the end', () => {
    const one = of(1, [started('c1'), ended('c1'), heard('c1', 2)]);
    expect(rulesOf(one, of(2, [started('c1', 'answerer'), ended('c1')]))).toEqual(['I7']);
  });

  test.each([
    ['a second end', [started('c1'), ended('c1'), ended('c1')]],
    ['an end without a start', [started('c1'), ended('c1'), ended('c0')]],
    ['a start after the end', [started('c1'), ended('c1'), started('c1'), ended('c1')]],
  ])('I10 sees %s', (_, seen) => {
    expect(rulesOf(of(1, seen), of(2, [started('c1', 'answerer'), ended('c1')]))).toContain('I10');
  });

  test('I10 sees a side that is never told the end', () => {
    expect(rulesOf(of(1, [started('c1'), ended('c1')]), of(2, [started('c1', 'answerer')], 'chatting'))).toEqual([
      'I10',
    ]);
  });

  test('L1 sees two who fit and both wait', () => {
    expect(rulesOf(of(1, [], 'waiting'), of(2, [], 'waiting'))).toEqual(['L1']);
    expect(rulesOf(of(1, [], 'waiting', { seeks: ['b'] }), of(2, [], 'waiting'))).toEqual([]);
  });

  test('L1 lets two wait of whom one blocked the other', () => {
    const one = of(1, [started('c1'), ...block('c1', false), ended('c1')], 'waiting');
    expect(rulesOf(one, of(2, [started('c1', 'answerer'), ended('c1')], 'waiting'))).toEqual([]);
  });

  test('L3 sees a request without an answer, and a promised start that never came', () => {
    expect(rulesOf(of(1, [{ kind: 'asked', ask: 1, request: 'match:find' }]))).toEqual(['L3']);
    expect(rulesOf(of(1, [], 'promised'))).toEqual(['L3']);
  });

  test('sees a connection that went by itself', () => {
    expect(rulesOf(of(1, [{ kind: 'disconnected' }]))).toEqual(['connected']);
  });

  test('where connections may be cut it sees who did not come back, and what was not over for the other side', () => {
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
