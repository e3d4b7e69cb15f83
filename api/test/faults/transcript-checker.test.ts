import { describe, expect, test } from 'vitest';
import { checkBooks } from './transcript-checker.ts';
import type { EventLog, Entry } from './chat-driver.ts';

const started = (conversationId = 'c1'): Entry => ({ kind: 'started', conversationId });
const said = (text: string, conversationId = 'c1'): Entry => ({ kind: 'said', conversationId, text });
const heard = (text: string, conversationId: string | null = 'c1'): Entry => ({ kind: 'heard', conversationId, text });
const delivered = (text: string): Entry => ({ kind: 'delivered', text });
const ended = (conversationId = 'c1', undelivered: string[] = []): Entry => ({
  kind: 'ended',
  conversationId,
  reason: 'peer_left',
  undelivered,
  at: 0,
});
const away: Entry = { kind: 'presence', presence: 'away', at: 0 };
const of = (name: string, ...entries: Entry[]): EventLog => ({ name, entries });
const rulesOf = (...books: EventLog[]) => [...new Set(checkBooks(books).map(({ rule }) => rule))];

/** Visitor in `c1` who sends nothing and is told the end. */
const silent = (name: string, ...entries: Entry[]) => of(name, started(), ...entries, ended());

describe('transcript checker', () => {
  test('accepts correct transcripts', () => {
    const a = of('a', started(), said('a-1'), heard('b-1'), delivered('a-1'), said('a-2'), away, ended('c1', ['a-2']));
    const b = of('b', started(), heard('a-1'), said('b-1'), ended('c1', ['b-1']), started('c2'));
    const c = of('c', started('c2'));
    expect(checkBooks([a, b, c])).toEqual([]);
  });

  test('detects a message that was neither delivered nor reported', () => {
    expect(rulesOf(of('a', started(), said('a-1'), ended()), silent('b'))).toEqual(['lost']);
    expect(rulesOf(of('a', started(), said('a-1'), ended('c1', ['a-1'])), silent('b'))).toEqual([]);
  });

  test('detects a message without a recipient', () => {
    expect(rulesOf(of('a', started(), said('a-1'), ended()))).toEqual(['lost']);
  });

  test('detects a message that is still in flight', () => {
    expect(rulesOf(of('a', started(), said('a-1')), of('b', started()))).toEqual(['lost']);
  });

  test('detects a message that was confirmed and not delivered, even if it is reported too', () => {
    const a = of('a', started(), said('a-1'), delivered('a-1'), ended('c1', ['a-1']));
    expect(rulesOf(a, silent('b'))).toEqual(['lost']);
  });

  test('detects a repeated message', () => {
    expect(rulesOf(of('a', started(), said('a-1'), ended()), silent('b', heard('a-1'), heard('a-1')))).toEqual([
      'repeated',
    ]);
  });

  test('detects messages out of order, or with a gap', () => {
    const a = of('a', started(), said('a-1'), said('a-2'), ended('c1', ['a-1']));
    expect(rulesOf(a, silent('b', heard('a-2'), heard('a-1')))).toEqual(['order']);
    expect(rulesOf(a, silent('b', heard('a-2')))).toEqual(['order']);
  });

  test('detects a message of a third visitor', () => {
    const c = of('c', started('c2'), said('c-1', 'c2'), ended('c2', ['c-1']));
    expect(rulesOf(silent('a'), silent('b', heard('c-1')), c)).toEqual(['stranger']);
  });

  test('detects a message of the peer from another conversation', () => {
    const a = of('a', started('c0'), said('a-1', 'c0'), ended('c0', ['a-1']), started(), ended());
    expect(rulesOf(a, of('b', started('c0'), ended('c0'), started(), heard('a-1'), ended()))).toEqual(['elsewhere']);
  });

  test('detects a second end, and an end without a conversation', () => {
    expect(rulesOf(silent('a'), of('b', started(), ended(), ended()))).toEqual(['end']);
    expect(rulesOf(silent('a'), silent('b', ended('c9')))).toEqual(['end']);
  });

  test('detects a side that is never told the end, and one that is left alone', () => {
    expect(rulesOf(silent('a'), of('b', started()))).toEqual(['endless']);
    expect(rulesOf(of('a', started()))).toEqual(['endless']);
  });

  test.each([
    ['a word', heard('a-1', null)],
    ['a word the snapshot shows elsewhere', heard('a-1', 'c9')],
    ['a receipt', delivered('b-1')],
    ['the presence of the peer', away],
  ])('detects %s after the end', (_, late) => {
    const a = of('a', started(), said('a-1'), ended('c1', ['a-1']));
    const b = of('b', started(), said('b-1'), ended('c1', ['b-1']), late);
    expect(rulesOf(a, b)).toEqual(['after the end']);
  });

  test('detects a conversation within another, a repeated one, and one of three', () => {
    expect(rulesOf(of('a', started(), started('c2'), ended('c2'), ended()), silent('b'))).toEqual(['start']);
    expect(rulesOf(of('a', started(), ended(), started(), ended()))).toContain('start');
    expect(rulesOf(silent('a'), silent('b'), silent('c'))).toEqual(['start']);
  });
});
