import { describe, expect, test } from 'vitest';
import { lookupsOf, sectionOf, tagsOf, ticketFrom } from './ticket.ts';

const requestId = 'r' as never;

describe('ticket', () => {
  test('contains each word once, regardless of case and of the encoding of accents', () => {
    expect(ticketFrom({ requestId, interests: ['Café', 'cafe\u0301', 'JAZZ', 'jazz'] }).interests).toEqual([
      'café',
      'jazz',
    ]);
  });

  test('contains no control characters and no half surrogate pairs, and no words of these alone', () => {
    const { interests, topic } = ticketFrom({
      requestId,
      interests: ['a\0\u0085b', '\0', '\ud800', '\u{1f600}'],
      topic: '/\ud83da\u0001',
    });
    expect(interests).toEqual(['ab', '\u{1f600}']);
    expect(topic).toBe('/a');
  });

  test.each([
    ['/news/2026/a-night-train', '/news'],
    ['jazz/bassists', 'jazz'],
    ['https://a.example/b/c', 'https://a.example/b'],
    ['https://a.example/b', null],
    ['/about', null],
    ['/about/', null],
    ['/', null],
  ])('%s is in the section %s', (topic, section) => {
    expect(sectionOf(topic)).toBe(section);
  });
});

describe('tags of a ticket', () => {
  const ticket = ticketFrom(
    { requestId, interests: ['jazz'], languages: ['en'], topic: '/a/1', is: 'x', seeks: ['y'] },
    'adult',
  );

  test('are all of its age band', () => {
    for (const tag of [...tagsOf(ticket), ...lookupsOf(ticket)]) expect(tag).toMatch(/^adult\|/);
  });

  test('list it by its group, and search the group it seeks', () => {
    expect(tagsOf(ticket)).toContain('adult|s:x');
    expect(lookupsOf(ticket)).toContain('adult|s:y');
    expect(lookupsOf(ticket)).not.toContain('adult|s:x');
  });

  test('search its page first and the whole queue last', () => {
    expect(lookupsOf(ticket)).toEqual(['t:/a/1', 'c:/a', 's:y', 'i:jazz', 'l:en', 'q'].map((tag) => `adult|${tag}`));
  });
});
