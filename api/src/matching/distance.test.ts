import { describe, expect, test } from 'vitest';
import type { Criteria } from '@passerby/sdk/protocol';
import { distance, intersection, isAllowed, isNearEnough } from './distance.ts';
import type { Expansion } from './rules.ts';
import { ticketFrom } from './ticket.ts';

const ticket = (criteria: Criteria, ageBand: string | null = null) =>
  ticketFrom({ requestId: 'r' as never, ...criteria }, ageBand);
const SOFT = { isLanguageHard: false };
const HARD = { isLanguageHard: true };

describe('hard rules', () => {
  test.each([
    ['two who say nothing are allowed', {}, {}, SOFT, true],
    ['each is what the other seeks', { is: 'a', seeks: ['b'] }, { is: 'b', seeks: ['a', 'c'] }, SOFT, true],
    ['only one is what the other seeks', { is: 'a', seeks: ['b'] }, { is: 'b', seeks: ['c'] }, SOFT, false],
    ['who seeks nobody in particular takes anybody', { is: 'a' }, { seeks: ['a'] }, SOFT, true],
    ['who says nothing is not what is sought', {}, { seeks: ['a'] }, SOFT, false],
    ['no common language is no matter where it is soft', { languages: ['en'] }, { languages: ['pt'] }, SOFT, true],
    ['no common language is one where it is hard', { languages: ['en'] }, { languages: ['pt'] }, HARD, false],
    ['who names no language speaks with anybody', { languages: ['en'] }, {}, HARD, true],
  ] as const)('%s', (_, a, b, rules, isIt) => {
    expect(isAllowed(ticket(a), ticket(b), rules)).toBe(isIt);
    expect(isAllowed(ticket(b), ticket(a), rules)).toBe(isIt);
  });

  test('separate age bands, and no band is a band of its own', () => {
    expect(isAllowed(ticket({}, 'adult'), ticket({}, 'adult'), SOFT)).toBe(true);
    expect(isAllowed(ticket({}, 'adult'), ticket({}, 'minor'), SOFT)).toBe(false);
    expect(isAllowed(ticket({}, 'adult'), ticket({}), SOFT)).toBe(false);
  });
});

describe('soft rules', () => {
  const OPEN: Expansion = {
    afterMs: 0,
    reach: 'site',
    isInterestNeeded: false,
    isLanguageNeeded: false,
    isRepeatAllowed: false,
  };
  test.each([
    ['the same topic is near on the topic', { topic: '/a/1' }, { topic: '/a/1' }, { reach: 'topic' }, true],
    ['another page is not', { topic: '/a/1' }, { topic: '/a/2' }, { reach: 'topic' }, false],
    [
      'another page of the section is near in the section',
      { topic: '/a/1' },
      { topic: '/a/2' },
      { reach: 'section' },
      true,
    ],
    [
      'the same page without a section is near in the section',
      { topic: '/a' },
      { topic: '/a' },
      { reach: 'section' },
      true,
    ],
    ['two pages without a section are not', { topic: '/a' }, { topic: '/b' }, { reach: 'section' }, false],
    ['anything is near on the site', { topic: '/a/1' }, { topic: '/b/1' }, { reach: 'site' }, true],
    [
      'an interest in common is enough',
      { interests: ['a', 'b'] },
      { interests: ['b', 'c'] },
      { isInterestNeeded: true },
      true,
    ],
    ['none in common is not', { interests: ['a'] }, { interests: ['b'] }, { isInterestNeeded: true }, false],
    ['who names none has nothing against any', { interests: ['a'] }, {}, { isInterestNeeded: true }, true],
    [
      'a language is needed while it is needed',
      { languages: ['en'] },
      { languages: ['pt'] },
      { isLanguageNeeded: true },
      false,
    ],
    ['and then no more', { languages: ['en'] }, { languages: ['pt'] }, {}, true],
  ] as const)('%s', (_, a, b, step, isIt) => {
    expect(isNearEnough(ticket(a), ticket(b), { ...OPEN, ...step }, false)).toBe(isIt);
    expect(isNearEnough(ticket(b), ticket(a), { ...OPEN, ...step }, false)).toBe(isIt);
  });

  test('accept a repeat only if repeats are allowed', () => {
    expect(isNearEnough(ticket({}), ticket({}), OPEN, true)).toBe(false);
    expect(isNearEnough(ticket({}), ticket({}), { ...OPEN, isRepeatAllowed: true }, true)).toBe(true);
  });
});

describe('distance', () => {
  const WEIGHTS = { interest: 4, language: 3, topic: 2, waiting: 0.5 };
  test.each([
    ['is nothing between two of one mind', { interests: ['a'], topic: '/a/1' }, { interests: ['a'], topic: '/a/1' }, 0],
    ['counts interests by the shorter list', { interests: ['a', 'b'] }, { interests: ['a', 'c', 'd'] }, 2],
    ['is all of the interest where one names none', {}, { interests: ['a'] }, 4],
    ['adds the language once', { interests: ['a'], languages: ['en'] }, { interests: ['a'], languages: ['pt'] }, 3],
    [
      'adds half for another page of the section',
      { interests: ['a'], topic: '/a/1' },
      { interests: ['a'], topic: '/a/2' },
      1,
    ],
    ['adds all for another section', { interests: ['a'], topic: '/a/1' }, { interests: ['a'], topic: '/b/1' }, 2],
  ] as const)('%s', (_, a, b, expected) => {
    expect(distance(ticket(a), ticket(b), WEIGHTS, 0)).toBe(expected);
    expect(distance(ticket(b), ticket(a), WEIGHTS, 0)).toBe(expected);
  });

  test('decreases with every second the candidate has waited', () => {
    expect(distance(ticket({}), ticket({}), WEIGHTS, 3_000)).toBe(4 - 1.5);
  });

  test('keeps the order of the first list in the intersection', () => {
    expect(intersection(['c', 'a', 'b'], ['a', 'x', 'c'])).toEqual(['c', 'a']);
  });
});
