import type { Criteria } from '@passerby/sdk/protocol';
import { describe, expect, test } from 'vitest';
import type { EventLog, LoggedEvent, Rest } from './event-log.ts';
import { checkInvariants } from './invariants.ts';

const started = (conversationId = 'c1', role?: string): LoggedEvent => ({
  kind: 'started',
  conversationId,
  ...(role !== undefined && { role }),
  at: 0,
});
const said = (text: string, conversationId = 'c1'): LoggedEvent => ({ kind: 'said', conversationId, text });
const heard = (text: string, conversationId: string | null = 'c1'): LoggedEvent => ({
  kind: 'heard',
  conversationId,
  text,
});
const delivered = (text: string): LoggedEvent => ({ kind: 'delivered', text });
const ended = (conversationId = 'c1', undelivered: string[] = []): LoggedEvent => ({
  kind: 'ended',
  conversationId,
  reason: 'peer_left',
  undelivered,
  at: 0,
});
const away: LoggedEvent = { kind: 'presence', presence: 'away', at: 0 };
const block = (conversationId: string, isAnswered = true): LoggedEvent[] => [
  { kind: 'asked', ask: 1, request: 'conversation:block', conversationId },
  { kind: 'answered', ask: 1, answer: isAnswered ? 'blocked' : 'unavailable', afterMs: 1 },
];

/** Log of a visitor on the SDK. */
const sdk = (visitor: string, ...events: LoggedEvent[]): EventLog => ({
  visitor,
  events,
  delivery: 'reliable',
  criteria: {},
  rest: 'idle',
});
/** Log of a visitor on the SDK in `c1` who sends nothing and is told the end. */
const silent = (visitor: string, ...events: LoggedEvent[]) => sdk(visitor, started(), ...events, ended());

const saying = (visitor: string, conversationId: string): string => `${visitor} in ${conversationId}`;
/** Log of a raw visitor, who says something as soon as a conversation starts. */
const raw = (
  visitor: string,
  events: readonly LoggedEvent[],
  rest: Rest = 'idle',
  criteria: Criteria = {},
): EventLog => ({
  visitor,
  events: events.flatMap((event) =>
    event.kind === 'started' ? [event, said(saying(visitor, event.conversationId), event.conversationId)] : [event],
  ),
  delivery: 'frames',
  criteria,
  rest,
});

const rulesOf = (...logs: EventLog[]) => [...new Set(checkInvariants(logs).map(({ rule }) => rule))];

describe('invariants of raw visitors', () => {
  test('accepts correct logs', () => {
    const one = raw(
      '1',
      [
        started('c1', 'offerer'),
        heard(saying('2', 'c1'), 'c1'),
        ended('c1'),
        started('c2', 'offerer'),
        heard(saying('3', 'c2'), 'c2'),
      ],
      'chatting',
    );
    const two = raw('2', [started('c1', 'answerer'), heard(saying('1', 'c1'), 'c1'), ended('c1')], 'waiting');
    const three = raw('3', [started('c2', 'answerer'), heard(saying('1', 'c2'), 'c2')], 'chatting');
    expect(checkInvariants([one, two, three])).toEqual([]);
  });

  test('I1 detects a second conversation within the first', () => {
    const one = raw('1', [started('c1', 'offerer'), started('c2', 'offerer'), ended('c1'), ended('c2')]);
    expect(
      rulesOf(
        one,
        raw('2', [started('c1', 'answerer'), ended('c1')]),
        raw('3', [started('c2', 'answerer'), ended('c2')]),
      ),
    ).toEqual(['I1']);
  });

  test('I2 detects a conversation of three', () => {
    const three = [1, 2, 3].map((visitor) => raw(`${visitor}`, [started('c1', `role ${visitor}`)], 'chatting'));
    expect(rulesOf(...three)).toContain('I2');
  });

  test('I2 detects a visitor who chats with nobody', () => {
    expect(rulesOf(raw('1', [started('c1', 'offerer')], 'chatting'))).toEqual(['I2']);
  });

  test('I2 detects two sides with the same role', () => {
    expect(
      rulesOf(raw('1', [started('c1', 'offerer')], 'chatting'), raw('2', [started('c1', 'offerer')], 'chatting')),
    ).toEqual(['I2']);
  });

  test('I4 detects a match of visitors who do not seek each other', () => {
    const one = raw('1', [started('c1', 'offerer')], 'chatting', { is: 'a', seeks: ['b'] });
    expect(rulesOf(one, raw('2', [started('c1', 'answerer')], 'chatting'))).toEqual(['I4']);
  });

  test.each(['the one who blocked', 'the one who was blocked'])('I5 detects that %s meets the other again', (who) => {
    const blocker = raw('1', [
      started('c1', 'offerer'),
      ...block('c1'),
      ended('c1'),
      started('c2', 'offerer'),
      ended('c2'),
    ]);
    const blocked = raw('2', [started('c1', 'answerer'), ended('c1'), started('c2', 'answerer'), ended('c2')]);
    expect(rulesOf(...(who === 'the one who blocked' ? [blocker, blocked] : [blocked, blocker]))).toEqual(['I5']);
  });

  test('I5 ignores a block that was not acknowledged', () => {
    const blocker = raw('1', [
      started('c1', 'offerer'),
      ...block('c1', false),
      ended('c1'),
      started('c2', 'offerer'),
      ended('c2'),
    ]);
    const other = raw('2', [started('c1', 'answerer'), ended('c1'), started('c2', 'answerer'), ended('c2')]);
    expect(rulesOf(blocker, other)).toEqual([]);
  });

  test('I7 detects a message of a third visitor', () => {
    const one = raw('1', [started('c1', 'offerer'), heard(saying('3', 'c9'))], 'chatting');
    expect(rulesOf(one, raw('2', [started('c1', 'answerer')], 'chatting'))).toEqual(['I7']);
  });

  test('I7 detects a message after the end', () => {
    const one = raw('1', [started('c1', 'offerer'), ended('c1'), heard(saying('2', 'c1'), 'c1')]);
    expect(rulesOf(one, raw('2', [started('c1', 'answerer'), ended('c1')]))).toEqual(['I7']);
  });

  test.each([
    ['a second end', [started('c1', 'offerer'), ended('c1'), ended('c1')]],
    ['an end without a start', [started('c1', 'offerer'), ended('c1'), ended('c0')]],
    ['a start after the end', [started('c1', 'offerer'), ended('c1'), started('c1', 'offerer'), ended('c1')]],
  ])('I10 detects %s', (_, events) => {
    expect(rulesOf(raw('1', events), raw('2', [started('c1', 'answerer'), ended('c1')]))).toContain('I10');
  });

  test('I10 detects a side that is never told the end', () => {
    expect(
      rulesOf(raw('1', [started('c1', 'offerer'), ended('c1')]), raw('2', [started('c1', 'answerer')], 'chatting')),
    ).toEqual(['I10']);
  });

  test('L1 detects two visitors who fit and both wait', () => {
    expect(rulesOf(raw('1', [], 'waiting'), raw('2', [], 'waiting'))).toEqual(['L1']);
    expect(rulesOf(raw('1', [], 'waiting', { seeks: ['b'] }), raw('2', [], 'waiting'))).toEqual([]);
  });

  test('L1 accepts two waiting visitors of whom one blocked the other', () => {
    const one = raw('1', [started('c1', 'offerer'), ...block('c1', false), ended('c1')], 'waiting');
    expect(rulesOf(one, raw('2', [started('c1', 'answerer'), ended('c1')], 'waiting'))).toEqual([]);
  });

  test('L3 detects a second answer to a request', () => {
    const [asked, answered] = block('c1') as [LoggedEvent, LoggedEvent];
    expect(rulesOf(raw('1', [asked, answered, answered]))).toEqual(['L3']);
  });

  test('L3 detects a request without an answer, and a promised start that never came', () => {
    expect(rulesOf(raw('1', [{ kind: 'asked', ask: 1, request: 'match:find' }]))).toEqual(['L3']);
    expect(rulesOf(raw('1', [], 'promised'))).toEqual(['L3']);
  });

  test('detects an unexpected loss of a connection', () => {
    expect(rulesOf(raw('1', [{ kind: 'disconnected' }]))).toEqual(['connected']);
  });

  test('detects, if connections may be cut, a visitor who did not come back, and a conversation that did not end for the other side', () => {
    const resumed: LoggedEvent = { kind: 'resumed', conversationId: null, role: '' };
    const rules = (...logs: EventLog[]) => checkInvariants(logs, { areCutsAllowed: true }).map(({ rule }) => rule);
    expect(rules(raw('1', [{ kind: 'disconnected' }]))).toEqual(['connected']);
    expect(rules(raw('1', [{ kind: 'disconnected' }, resumed]))).toEqual([]);
    const one = raw('1', [started('c1', 'offerer'), { kind: 'disconnected' }, resumed]);
    expect(rules(one, raw('2', [started('c1', 'answerer'), ended('c1')]))).toEqual([]);
    expect(rules(one, raw('2', [started('c1', 'answerer')], 'chatting'))).toEqual(['I10']);
  });
});

describe('invariants of visitors on the SDK', () => {
  test('accepts correct logs', () => {
    const a = sdk('a', started(), said('a-1'), heard('b-1'), delivered('a-1'), said('a-2'), away, ended('c1', ['a-2']));
    const b = sdk('b', started(), heard('a-1'), said('b-1'), ended('c1', ['b-1']), started('c2'));
    const c = sdk('c', started('c2'));
    expect(checkInvariants([a, b, c])).toEqual([]);
  });

  test('detects a message that was neither delivered nor reported', () => {
    expect(rulesOf(sdk('a', started(), said('a-1'), ended()), silent('b'))).toEqual(['I9']);
    expect(rulesOf(sdk('a', started(), said('a-1'), ended('c1', ['a-1'])), silent('b'))).toEqual([]);
  });

  test('detects a message without a recipient', () => {
    expect(rulesOf(sdk('a', started(), said('a-1'), ended()))).toEqual(['I9']);
  });

  test('detects a message that is still in flight', () => {
    expect(rulesOf(sdk('a', started(), said('a-1')), sdk('b', started()))).toEqual(['I9']);
  });

  test('detects a message that was confirmed and not delivered, even if it is reported too', () => {
    const a = sdk('a', started(), said('a-1'), delivered('a-1'), ended('c1', ['a-1']));
    expect(rulesOf(a, silent('b'))).toEqual(['I9']);
  });

  test('detects a repeated message', () => {
    expect(rulesOf(sdk('a', started(), said('a-1'), ended()), silent('b', heard('a-1'), heard('a-1')))).toEqual(['I8']);
  });

  test('detects messages out of order, or with a gap', () => {
    const a = sdk('a', started(), said('a-1'), said('a-2'), ended('c1', ['a-1']));
    expect(rulesOf(a, silent('b', heard('a-2'), heard('a-1')))).toEqual(['I8']);
    expect(rulesOf(a, silent('b', heard('a-2')))).toEqual(['I8']);
  });

  test('detects a message of a third visitor', () => {
    const c = sdk('c', started('c2'), said('c-1', 'c2'), ended('c2', ['c-1']));
    expect(rulesOf(silent('a'), silent('b', heard('c-1')), c)).toEqual(['I7']);
  });

  test('detects a message of the peer from another conversation', () => {
    const a = sdk('a', started('c0'), said('a-1', 'c0'), ended('c0', ['a-1']), started(), ended());
    expect(rulesOf(a, sdk('b', started('c0'), ended('c0'), started(), heard('a-1'), ended()))).toEqual(['I7']);
  });

  test('detects a second end, and an end without a conversation', () => {
    expect(rulesOf(silent('a'), sdk('b', started(), ended(), ended()))).toEqual(['I10']);
    expect(rulesOf(silent('a'), silent('b', ended('c9')))).toEqual(['I10']);
  });

  test('detects a side that is never told the end, and one that is left alone', () => {
    expect(rulesOf(silent('a'), sdk('b', started()))).toEqual(['I10']);
    expect(rulesOf(sdk('a', started()))).toEqual(['I2']);
  });

  test.each([
    ['a word', 'I7', heard('a-1', null)],
    ['a word the snapshot shows elsewhere', 'I7', heard('a-1', 'c9')],
    ['a receipt', 'I10', delivered('b-1')],
    ['the presence of the peer', 'I10', away],
  ])('detects %s after the end (%s)', (_, rule, late) => {
    const a = sdk('a', started(), said('a-1'), ended('c1', ['a-1']));
    const b = sdk('b', started(), said('b-1'), ended('c1', ['b-1']), late);
    expect(rulesOf(a, b)).toEqual([rule]);
  });

  test('detects a conversation within another, a repeated one, and one of three', () => {
    expect(rulesOf(sdk('a', started(), started('c2'), ended('c2'), ended()), silent('b'))).toEqual(['I1']);
    expect(rulesOf(sdk('a', started(), ended(), started(), ended()))).toContain('I10');
    expect(rulesOf(silent('a'), silent('b'), silent('c'))).toEqual(['I2']);
  });
});
